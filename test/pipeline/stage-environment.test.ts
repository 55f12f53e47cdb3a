import assert from "node:assert/strict";
import { proxyPasswords } from "../../components/pipeline/stage-environment";

describe("what a stage is told of proxies", () => {
	it("has their passwords known, as they stand and as they are", () => {
		assert.deepEqual(
			proxyPasswords({
				HTTPS_PROXY: "http://joe:s3cret%40proxy@proxy.example.com:3128",
				http_proxy: "http://:only@proxy.example.com",
				HTTP_PROXY: "http://joe:100%@proxy.example.com",
				https_proxy: "proxy.example.com:3128",
				NO_PROXY: "user:none@example.com",
			}),
			["100%", "s3cret%40proxy", "s3cret@proxy", "only"],
		);
		assert.deepEqual(proxyPasswords({ HTTPS_PROXY: "http://joe@proxy:3128" }), []);
		assert.deepEqual(proxyPasswords({}), []);
	});
});

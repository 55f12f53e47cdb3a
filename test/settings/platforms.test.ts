import assert from "node:assert/strict";
import { problems, read } from "./read";

describe("the settings of a platform", () => {
	it("says in one sentence that a platform cannot be used yet", () => {
		assert.deepEqual(problems({ platform: "aws", strategy: "blue-green" }), [
			"camera-counting:platform: found aws, which this version cannot deploy to yet; allowed: local or docker",
		]);
	});

	it("tells what platform docker needs and does not have", () => {
		assert.deepEqual(
			problems({ platform: "docker", sslMode: "require", routerPort: "8000", gatewayPort: "8000" }),
			[
				"camera-counting:sslMode: found require with platform docker; allowed: disable, since its servers are on the host's loopback only",
				"camera-counting:strategy: found in-place with platform docker; allowed: blue-green",
				"camera-counting:serviceImage: found nothing with platform docker; allowed: the service's image, such as counting-api:{release}, which service/Dockerfile makes",
				"camera-counting:routerPort: found 8000, which is databasePort or gatewayPort too; allowed: another port",
			],
		);
	});

	it("refuses what is another platform's", () => {
		assert.deepEqual(
			problems({ dockerHost: "unix:///run/docker.sock", serviceImage: "counting-api:{release}" }),
			[
				"camera-counting:dockerHost: found unix:///run/docker.sock with platform local; allowed: only with platform docker",
				"camera-counting:serviceImage: found counting-api:{release} with platform local; allowed: only with platform docker or aws",
			],
		);
		assert.deepEqual(problems({ platform: "aws", strategy: "blue-green", gatewayPort: "8080" }).slice(0, 1), [
			"camera-counting:gatewayPort: found 8080 with platform aws; allowed: only with platform local or docker",
		]);
	});

	for (const [image, taken] of [
		["counting-api:{release}", true],
		["registry.example.com:5000/team/counting-api:1.3.0", true],
		[`counting-api@sha256:${"0a".repeat(32)}`, true],
		["counting-api", false],
		["counting-api:latest", false],
		["registry.example.com:5000/counting-api", false],
		["counting-api@sha256:12", false],
		["Counting API:1", false],
	] as const) {
		it(`${taken ? "takes" : "refuses"} the image ${image}`, () => {
			const changes = { platform: "docker", strategy: "blue-green", serviceImage: image };
			const found = taken ? [read(changes).serviceImage] : problems(changes);
			assert.equal(found.length, 1);
			assert.match(found[0] ?? "", taken ? /^/ : /allowed: an image with its tag \(not latest\) or digest/);
		});
	}
});

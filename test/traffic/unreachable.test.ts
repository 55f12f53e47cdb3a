import assert from "node:assert/strict";
import { findFreePort } from "../../components/local/port";
import { isRouted } from "../../components/traffic/routed";
import { RouterUnreachable } from "../../components/traffic/routing";
import { CREDENTIALS } from "./aws/moto";

describe("a router that cannot be reached", () => {
	const blue = { targetGroup: "blue", url: "http://127.0.0.1:8080" };
	const asked = { ...CREDENTIALS, AWS_ENDPOINT_URL: "" };

	after(() => {
		for (const name of Object.keys(asked)) {
			delete process.env[name];
		}
	});

	it("is a change of the stack where the stack runs it", async () => {
		const haproxy = { kind: "haproxy", host: "127.0.0.1", port: await findFreePort() } as const;
		assert.equal(await isRouted({ ...haproxy, stateFile: "/state.map" }, blue), false);
	});

	it("is no change of the stack where it is AWS that does not answer", async () => {
		Object.assign(process.env, asked, { AWS_ENDPOINT_URL: `http://127.0.0.1:${await findFreePort()}` });
		const color = (name: string) => ({ targetGroupArn: `arn:${name}`, url: "https://x:8443" });
		const listener = { kind: "alb", region: "eu-west-1", listenerArn: "arn:listener" } as const;
		const colors = { blue: color("blue"), green: color("green") };
		await assert.rejects(
			isRouted({ ...listener, loadBalancer: "app/counting/1", colors }, blue),
			RouterUnreachable,
		);
	});
});

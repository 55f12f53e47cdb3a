import assert from "node:assert/strict";
import { reported, STAGING } from "./policies";

const DIGEST = `sha256:${"0a".repeat(32)}`;

function container(props: Record<string, unknown>) {
	return { type: "docker:index/container:Container", props: { image: `counting-api@${DIGEST}`, ...props } };
}

describe("the policy on containers of Docker", () => {
	it("wants images by digest in production", async () => {
		assert.deepEqual(await reported("docker-image-pinned", container({})), []);
		assert.deepEqual(await reported("docker-image-pinned", container({ image: DIGEST })), []);
		assert.deepEqual(await reported("docker-image-pinned", container({ image: "counting-api:1.3.0" })), [
			"image counting-api:1.3.0 may become another one: name it by digest, as NAME@sha256:DIGEST",
		]);
	});

	it("wants a tag that stays elsewhere", async () => {
		const faults = (image: string) => reported("docker-image-pinned", container({ image }), STAGING);
		for (const pinned of ["postgres:18.4", "registry.example:5000/counting-api:1.3.0"]) {
			assert.deepEqual(await faults(pinned), []);
		}
		for (const moving of ["postgres", "postgres:latest", "registry.example:5000/counting-api"]) {
			assert.deepEqual(await faults(moving), [
				`image ${moving} becomes another one with time: name its version, or its digest`,
			]);
		}
		const pulled = { type: "docker:index/remoteImage:RemoteImage", props: { name: "haproxy:latest" } };
		assert.equal((await reported("docker-image-pinned", pulled, STAGING)).length, 1);
	});

	it("wants secrets as files, and shows none of those that are not", async () => {
		const secret = "a=secret-of-the-test";
		const plain = container({
			envs: [
				`POSTGRES_PASSWORD=${secret}`,
				`QUEUE=postgres://queue:${secret}@db/queue`,
				"PGPASSWORD_FILE=/run/db",
			],
			command: ["psql", `--password=${secret}`],
		});
		assert.deepEqual(await reported("docker-no-plain-secret", plain), [
			"POSTGRES_PASSWORD is a secret in plain text: hand it over as a file",
			"QUEUE holds a password in plain text: hand it over as a file",
			"the command holds a password in plain text: hand it over as a file",
		]);
		const files = container({
			envs: [
				"POSTGRES_PASSWORD_FILE=/run/secrets/password",
				"PGHOST=db",
				"PGPASSFILE=/run/secrets/pgpass",
				"PGUSER=counting",
			],
			command: ["postgres", "-c", "max_connections=50"],
		});
		assert.deepEqual(await reported("docker-no-plain-secret", files), []);
	});

	it("wants no rights over the host", async () => {
		const rights = container({ privileged: true, capabilities: { adds: ["CAP_SYS_ADMIN", "CHOWN"] } });
		assert.deepEqual(await reported("docker-not-privileged", rights), [
			"the container is privileged: set privileged to false, and add what it needs of capabilities",
			"capability SYS_ADMIN is as good as root on the host: do without it",
		]);
		const needed = container({ capabilities: { drops: ["ALL"], adds: ["CAP_CHOWN", "CAP_SETUID"] } });
		assert.deepEqual(await reported("docker-not-privileged", needed), []);
	});

	it("wants databases on loopback only", async () => {
		const published = (image: string, ip?: string) =>
			reported(
				"docker-database-on-loopback",
				container({ image, ports: [{ internal: 5432, external: 15432, ip }] }),
			);
		assert.deepEqual(await published("postgres:18.4", "127.0.0.1"), []);
		const fault = "port 5432 is published on 0.0.0.0: set its ip to 127.0.0.1, or do not publish it";
		assert.deepEqual(await published("postgres:18.4"), [fault]);
		assert.deepEqual(await published("some-database:1.0", "0.0.0.0"), [fault]);
		const router = container({ image: "haproxy:3.2.4", ports: [{ internal: 8080, ip: "0.0.0.0" }] });
		assert.deepEqual(await reported("docker-database-on-loopback", router), []);
		const open = container({ image: "postgres:18.4", publishAllPorts: true, networkMode: "host" });
		assert.deepEqual(await reported("docker-database-on-loopback", open), [
			"all ports are published on every address: name the port, with ip 127.0.0.1",
			"the server is in the host's own network: give it one of Docker's",
		]);
	});
});

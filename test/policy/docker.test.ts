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
		for (const moving of ["postgres:LATEST", "counting-api@sha256:abc", "counting-api:1.3.0@sha256:abc"]) {
			assert.equal((await faults(moving)).length, 1, moving);
		}
		assert.deepEqual(await faults(`counting-api:1.3.0@${DIGEST}`), []);
		const pulled = (name: string) => ({ type: "docker:index/remoteImage:RemoteImage", props: { name } });
		assert.equal((await reported("docker-image-pinned", pulled("haproxy:latest"), STAGING)).length, 1);
		// The number of an image on one host, which no registry has.
		assert.equal((await reported("docker-image-pinned", pulled(DIGEST), STAGING)).length, 1);
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
		const elsewhere = container({
			command: ["redis-server", "--requirepass", secret],
			labels: [
				{ label: "database", value: `postgres://u:${secret}@db/counting` },
				{ label: "api-token", value: secret },
				{ label: "files", value: "0a1b" },
			],
			healthcheck: { tests: ["CMD-SHELL", `PGPASSWORD=${secret} psql -c 'SELECT 1'`] },
		});
		assert.deepEqual(await reported("docker-no-plain-secret", elsewhere), [
			"the command holds a password in plain text: hand it over as a file",
			"the health check holds a password in plain text: hand it over as a file",
			"label database holds a password in plain text: hand it over as a file",
			"label api-token is a secret in plain text: hand it over as a file",
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
		const needed = container({ capabilities: { drops: ["ALL"], adds: ["CAP_CHOWN", "cap_setuid"] } });
		assert.deepEqual(await reported("docker-not-privileged", needed), []);
	});

	it("knows a capability in each of the ways that the engine takes it", async () => {
		for (const written of ["SYS_ADMIN", "sys_admin", "cap_sys_admin", "Cap_Sys_Admin"]) {
			assert.deepEqual(
				await reported("docker-not-privileged", container({ capabilities: { adds: [written] } })),
				["capability SYS_ADMIN is as good as root on the host: do without it"],
			);
		}
		assert.deepEqual(
			await reported("docker-not-privileged", container({ capabilities: { adds: ["all"] } })),
			["capability ALL is as good as root on the host: do without it"],
		);
	});

	it("wants neither the host's processes nor the engine's socket or the system's folders", async () => {
		const rights = container({
			pidMode: "host",
			volumes: [
				{ hostPath: "/var/run/docker.sock", containerPath: "/docker.sock", readOnly: true },
				{ hostPath: "/var/run/", containerPath: "/host" },
				{ volumeName: "counting-database-data", containerPath: "/var/lib/postgresql" },
				{ hostPath: "/srv/counting", containerPath: "/srv" },
			],
			mounts: [
				{ type: "bind", source: "/", target: "/host" },
				{ type: "volume", source: "counting-state", target: "/etc" },
			],
		});
		const reach = (path: string) =>
			`${path} of the host is as good as root on it: do not put it into the container`;
		assert.deepEqual(await reported("docker-not-privileged", rights), [
			"the host's processes are the container's too: do without pidMode host",
			reach("/var/run/docker.sock"),
			reach("/var/run"),
			reach("/"),
		]);
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
		// One that runs for a database is none, and a registry's name says nothing of what it has.
		const others = { "prometheuscommunity/postgres-exporter:1": 9187, "postgres.example:5000/app:1": 80 };
		for (const [image, internal] of Object.entries(others)) {
			const other = container({ image, ports: [{ internal, ip: "0.0.0.0" }], networkMode: "host" });
			assert.deepEqual(await reported("docker-database-on-loopback", other), [], image);
		}
		const open = container({ image: "postgres:18.4", publishAllPorts: true, networkMode: "host" });
		assert.deepEqual(await reported("docker-database-on-loopback", open), [
			"all ports are published on every address: name the port, with ip 127.0.0.1",
			"the server is in the host's own network: give it one of Docker's",
		]);
	});

	it("knows a database by what it is told, whatever its image is called", async () => {
		const inHostNetwork = (props: Record<string, unknown>) =>
			reported("docker-database-on-loopback", container({ networkMode: "host", ...props }));
		const databases = [
			{ image: "timescale/timescaledb:2.27.0-pg18" },
			{ image: "bitnami/postgresql-repmgr:18" },
			{ image: "store:1", envs: ["PGDATA=/var/lib/postgresql"] },
			{ image: "store:1", command: ["postgres", "-c", "max_connections=50"] },
			{ image: "store:1", healthcheck: { tests: ["CMD-SHELL", "pg_isready --quiet"] } },
			// It says nothing of what the image is.
			{ image: DIGEST },
		];
		for (const props of databases) {
			assert.deepEqual(
				await inHostNetwork(props),
				["the server is in the host's own network: give it one of Docker's"],
				JSON.stringify(props),
			);
		}
		assert.deepEqual(await inHostNetwork({ image: "haproxy:3.2.4", envs: ["PGHOST=db"] }), []);
		const all = container({ image: "store:1", publishAllPorts: true });
		assert.deepEqual(await reported("docker-database-on-loopback", all), [
			"all ports are published on every address: name the port, with ip 127.0.0.1",
		]);
	});
});

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { type AddressInfo, createServer } from "node:net";
import { z } from "zod";
import { findFreePort } from "../../components/local/port";
import { DeployedProject, sections } from "../support/deployed-project";
import { DockerEngine } from "../support/docker/engine";
import { importImages } from "../support/docker/images";
import { dockerMissing } from "../support/docker/missing";
import { underLoad } from "../support/load";
import { until } from "../support/waiting";

const outputsSchema = z.object({ live: z.string(), release: z.string(), pauseMs: z.number() });

const containerSchema = z.object({
	HostConfig: z.object({
		ReadonlyRootfs: z.boolean(),
		CapDrop: z.array(z.string()),
		SecurityOpt: z.array(z.string()),
		PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string() }))),
	}),
});

/** The staging stack, whose team shares a passphrase. */
class DockerProject extends DeployedProject {
	override start(args: string[], environment: NodeJS.ProcessEnv = {}, script?: string): ChildProcess {
		return super.start(args, { PULUMI_CONFIG_PASSPHRASE: "shared by the team", ...environment }, script);
	}
}

const declare = dockerMissing === undefined ? describe : describe.skip;

declare(
	`a stack on platform docker, on the Pulumi CLI${dockerMissing ? ` (skipped: ${dockerMissing})` : ""}`,
	() => {
		const engine = new DockerEngine();
		let project: DockerProject;
		let url: string;
		let gatewayPort: number;

		before(async () => {
			await engine.start();
			const { database, router, service } = await importImages(engine.socket);
			gatewayPort = await findFreePort();
			project = new DockerProject("cli", "staging");
			project.configure({
				dockerHost: engine.socket,
				databaseImage: database,
				routerImage: router,
				serviceImage: service,
				gatewayPort,
				databasePort: await findFreePort(),
				routerPort: await findFreePort(),
				serverPerColor: true,
				poolSize: 4,
				bakeSeconds: 1,
				readyTimeoutSeconds: 60,
			});
			url = `http://127.0.0.1:${gatewayPort}`;
			await project.init();
			await project.mustUp();
		});

		after(async () => {
			await project?.discard();
			await engine.stop();
		});

		async function outputs() {
			const { stdout } = await project.must("stack", "output", "--json", "-s", "staging");
			return outputsSchema.parse(JSON.parse(stdout));
		}

		async function served(): Promise<string> {
			const reply = await fetch(`${url}/version`, { signal: AbortSignal.timeout(5000) });
			return ((await reply.json()) as { release: string }).release;
		}

		function running(): string[] {
			const names = engine.docker("ps", "--format", "{{.Names}}").split("\n");
			return names.map((name) => name.replace(/-[0-9a-f]{7}$/, "")).sort();
		}

		it("serves, and has nothing left to do", async () => {
			assert.equal(await served(), "1.3.0");
			const preview = await project.pulumi("preview", "--expect-no-changes", "-s", "staging");
			assert.equal(preview.code, 0, preview.output);
			assert.deepEqual(running(), [
				"counting-staging-blue-1",
				"counting-staging-database",
				"counting-staging-database-green",
				"counting-staging-router",
			]);
		});

		it("finds no drift where there is none", async () => {
			const preview = await project.pulumi(
				"preview",
				"--refresh",
				"--diff",
				"--expect-no-changes",
				"-s",
				"staging",
			);
			assert.equal(preview.code, 0, preview.output);
		});

		it("runs containers that can do no more than they must, and tells no password in their environment", async () => {
			const { databasePassword } = JSON.parse(
				(await project.must("stack", "output", "--json", "--show-secrets", "-s", "staging")).stdout,
			) as { databasePassword: string };
			const ids = engine.docker("ps", "--quiet").split("\n");
			for (const text of ids.map((id) => engine.docker("inspect", id))) {
				assert.ok(!text.includes(databasePassword));
				const [container] = z.array(containerSchema).parse(JSON.parse(text));
				assert.ok(container);
				const { ReadonlyRootfs, CapDrop, SecurityOpt, PortBindings } = container.HostConfig;
				assert.equal(ReadonlyRootfs, true);
				assert.deepEqual(CapDrop, ["ALL"]);
				assert.deepEqual(SecurityOpt, ["no-new-privileges"]);
				assert.deepEqual(
					[
						...new Set(
							Object.values(PortBindings).flatMap((bindings) => bindings.map(({ HostIp }) => HostIp)),
						),
					],
					["127.0.0.1"],
				);
			}
		});

		it("releases without one failed request", async () => {
			project.bringMigration("1.4.0_add_ingested_batches.sql");
			project.configure({ release: "1.4.0" });
			const { requests, failures } = await underLoad(`${url}/cameras?limit=1`, () => project.mustUp());
			assert.deepEqual(failures, []);
			assert.ok(requests > 100);
			assert.equal(await served(), "1.4.0");
			assert.equal((await outputs()).live, "green");
		});

		it("goes back without one failed request, and keeps what was written since the release", async () => {
			const created = await fetch(`${url}/cameras`, {
				method: "POST",
				headers: { "content-type": "application/json" },
				body: JSON.stringify({ cameraName: "Gate 7" }),
			});
			assert.equal(created.status, 201, await created.clone().text());
			const { id } = (await created.json()) as { id: number };
			project.removeMigration("1.4.0_add_ingested_batches.sql");
			project.configure({ release: "1.3.0" });
			const { failures } = await underLoad(`${url}/cameras?limit=1`, () => project.mustUp());
			assert.deepEqual(failures, []);
			assert.equal(await served(), "1.3.0");
			assert.equal((await outputs()).live, "blue");
			assert.equal((await fetch(`${url}/cameras/${id}`)).status, 200);
		});

		it("replaces a live service whose settings, image and passwords change without one failed request", async () => {
			engine.docker("tag", "test-service:1", "test-service:2");
			project.configure({ logLevel: "warn", serviceImage: "test-service:2", passwordGeneration: 2 });
			const { failures } = await underLoad(`${url}/cameras?limit=1`, () => project.mustUp());
			assert.deepEqual(failures, []);
			assert.deepEqual(running(), [
				"counting-staging-blue-1",
				"counting-staging-database",
				"counting-staging-database-green",
				"counting-staging-green-2",
				"counting-staging-router",
			]);
		});

		it("leaves the live service alone when the one in its place cannot be started", async () => {
			project.configure({ serviceImage: "test-service:missing" });
			const { failures } = await underLoad(`${url}/cameras?limit=1`, async () => {
				const failed = await project.up();
				assert.notEqual(failed.code, 0, failed.output);
				assert.match(failed.output, /test-service:missing/);
			});
			assert.deepEqual(failures, []);
			project.configure({ serviceImage: "test-service:2" });
			await project.mustUp();
		});

		it("changes a server without touching what is on it", async () => {
			project.configure({ maxConnections: 40 });
			await project.mustUp();
			assert.equal(await served(), "1.3.0");
		});

		it("is served again without an update after the router was started again", async () => {
			engine.docker("restart", "counting-staging-router");
			await until("it serves", async () => (await served().catch(() => undefined)) === "1.3.0");
			const preview = await project.pulumi("preview", "--expect-no-changes", "-s", "staging");
			assert.equal(preview.code, 0, preview.output);
		});

		it("says that the live service has ended, and makes another when it looks what is there", async () => {
			const [name = ""] = engine
				.docker("ps", "--format", "{{.Names}}", "--filter", "name=counting-staging-blue-1-")
				.split("\n");
			engine.docker("stop", name);
			const failed = await project.up();
			assert.notEqual(failed.code, 0, failed.output);
			assert.match(failed.output, /unhealthy after .* made anew by an update with --refresh/);
			const mended = await project.pulumi("up", "--yes", "--refresh", "-s", "staging");
			assert.equal(mended.code, 0, mended.output);
			assert.equal(await served(), "1.3.0");
		});

		it("comes back from a port that somebody else has", async () => {
			const taken = createServer();
			await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
			const { port } = taken.address() as AddressInfo;
			project.configure({ gatewayPort: port });
			const failed = await project.up();
			taken.close();
			assert.notEqual(failed.code, 0, failed.output);
			project.configure({ gatewayPort });
			await project.mustUp();
			assert.equal(await served(), "1.3.0");
		});

		it("goes on serving the release before when the router is replaced in the update of one that fails", async () => {
			engine.docker("tag", "test-router:1", "test-router:2");
			project.configure({ routerImage: "test-router:2", release: "1.4.0" });
			const [up, down] = ["ALTER TABLE missing ADD seen int;", "ALTER TABLE missing DROP seen;"];
			project.migration("1.4.0_add_seen.sql", sections({ up, down }));
			const failed = await project.up();
			assert.notEqual(failed.code, 0, failed.output);
			assert.match(failed.output, /relation "missing" does not exist/);
			assert.equal(await served(), "1.3.0");
			assert.equal(
				engine.docker("inspect", "--format", "{{.Config.Image}}", "counting-staging-router"),
				"test-router:2",
			);
		});

		it("leaves nothing when it is destroyed", async () => {
			await project.must("destroy", "--yes", "-s", "staging");
			assert.equal(engine.docker("ps", "--all", "--quiet"), "");
			assert.equal(engine.docker("volume", "ls", "--quiet"), "");
			assert.equal(engine.docker("network", "ls", "--quiet", "--filter", "name=counting"), "");
		});
	},
);

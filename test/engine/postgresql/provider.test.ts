import { strict as assert } from "node:assert";
import { createServer } from "node:net";
import { createPostgresqlProvider } from "../../../engine/postgresql/provider";
import { type Properties, type Provider, UNKNOWN } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import { host, PROVIDER, Resource, settingsOf, subject, TOKENS } from "./resource";

describe("the embedded PostgreSQL provider", () => {
	let provider: Provider;

	beforeEach(async () => {
		provider = await createPostgresqlProvider(host);
	});

	afterEach(() => provider.close());

	const reasons = async (news: Properties) => {
		const { failures } = await provider.checkConfig({ ...subject(PROVIDER), news });
		return (failures ?? []).map(({ reason }) => reason);
	};

	it("names everything that is wrong with its settings", async () => {
		assert.deepEqual(
			await reasons({
				port: "none",
				sslmode: "prefer",
				scheme: "awspostgres",
				superuser: "perhaps",
				pool: 1,
			}),
			[
				"`scheme` must be postgres; any other is not supported by the embedded engine: install the Pulumi CLI",
				"`port` must be a whole number",
				"`superuser` must be true or false",
				"`sslmode` must be disable, require or verify-full (for other modes install the Pulumi CLI)",
				"`pool` is not a setting of the provider",
			],
		);
		assert.deepEqual(await reasons({ clientcert: '{"cert":"a"}', awsRdsIamAuth: "false" }), [
			"`clientcert` is not supported by the embedded engine: install the Pulumi CLI",
		]);
		await assert.rejects(provider.configure({ port: "70000" }), /the postgresql provider: `port` /);
	});

	it("takes settings as texts or as what they are, and those not known yet as they are", async () => {
		assert.deepEqual(
			await reasons({ port: "5432", connectTimeout: 15, superuser: false, sslMode: "disable" }),
			[],
		);
		assert.deepEqual(await reasons({ host: UNKNOWN, port: UNKNOWN, password: UNKNOWN }), []);
	});

	it("shows a changed setting and replaces nothing for it", async () => {
		const change = { ...subject(PROVIDER), olds: { host: "a", port: "1" }, news: { host: "b", port: "1" } };
		assert.deepEqual(await provider.diffConfig(change), { changes: "some", diffs: ["host"] });
		assert.deepEqual(await provider.diffConfig({ ...change, news: change.olds }), {
			changes: "none",
			diffs: [],
		});
	});

	it("refuses types and functions that it does not know", async () => {
		const type = "postgresql:index/publication:Publication";
		const advice = /is not known to the embedded engine.*: install the Pulumi CLI/;
		const request = { ...subject(type), news: {}, randomSeed: new Uint8Array() };
		await assert.rejects(provider.check(request), advice);
		const invocation = { token: "postgresql:index/getSchemas:getSchemas", args: {}, preview: false };
		await assert.rejects(provider.invoke(invocation), advice);
	});

	it("says every wrong input at once and never a password", async () => {
		const { failures } = await provider.check({
			...subject(TOKENS.role),
			news: { password: ["hidden"], connectionLimit: 1.5, login: "maybe", passwordWo: "hidden", policy: "x" },
			randomSeed: new Uint8Array(),
		});
		assert.deepEqual(
			failures?.map(({ property }) => property),
			["password", "connectionLimit", "login", "policy", "password", "passwordWo"],
		);
		assert.doesNotMatch(JSON.stringify(failures), /hidden/);
	});

	it("gives a resource the same automatic name for the same seed, and keeps it", async () => {
		const named = async (seed: number, olds?: Properties) => {
			const randomSeed = new Uint8Array(32).fill(seed);
			const { inputs } = await provider.check({
				...subject(TOKENS.role, "owner"),
				olds,
				news: {},
				randomSeed,
			});
			return inputs;
		};
		const first = await named(1);
		assert.match(String(first.name), /^owner-[0-9a-f]{7}$/);
		assert.deepEqual(await named(1), first);
		assert.notEqual((await named(2)).name, first.name);
		assert.equal((await named(2, first)).name, first.name);
	});

	it("previews without a connection, even before its settings are known", async () => {
		await provider.configure({ host: UNKNOWN });
		const request = { ...subject(TOKENS.database), timeoutSeconds: 0 };
		const { properties } = await provider.create({
			...request,
			inputs: { name: "n", owner: UNKNOWN },
			preview: true,
		});
		assert.deepEqual(
			[properties.name, properties.owner, properties.encoding, properties.id],
			["n", UNKNOWN, UNKNOWN, UNKNOWN],
		);
		await assert.rejects(
			provider.create({ ...request, inputs: { name: "n" }, preview: false }),
			/settings are not known yet/,
		);
	});

	it("says where it could not connect, but not with what password", async () => {
		const server = await testServer();
		await provider.configure(settingsOf({ ...server, password: "mistaken" }));
		await assert.rejects(new Resource(provider, TOKENS.role, { name: "never" }).create(), (error: Error) => {
			assert.match(
				error.message,
				new RegExp(`cannot connect to postgres@${server.host}:${server.port}/postgres: `),
			);
			assert.doesNotMatch(error.message, /mistaken/);
			return true;
		});
	});

	it("gives up connecting to a server that stays silent", async () => {
		const silent = createServer().listen(0, "127.0.0.1");
		await new Promise((resolve) => silent.once("listening", resolve));
		const address = silent.address();
		assert.ok(typeof address === "object" && address !== null);
		const settings = settingsOf({ ...(await testServer()), port: address.port });
		await provider.configure({ ...settings, connectTimeout: "1" });
		await assert.rejects(new Resource(provider, TOKENS.role, { name: "never" }).create(), /cannot connect/);
		silent.close();
	});

	it("starts nothing new once it is cancelled", async () => {
		await provider.configure(settingsOf(await testServer()));
		await provider.cancel();
		await assert.rejects(new Resource(provider, TOKENS.role, { name: "never" }).create(), /cancelled before/);
	});

	it("uses no more connections than it is allowed", async () => {
		const server = await testServer();
		await provider.configure({ ...settingsOf(server), maxConnections: "1" });
		const made = await Promise.all(
			["a", "b", "c"].map((name) =>
				new Resource(provider, TOKENS.role, { name: `one_at_a_time_${name}` }).create(),
			),
		);
		await Promise.all(made.map((each) => each.delete()));
	});
});

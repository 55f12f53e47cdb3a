import assert from "node:assert/strict";
import { stackAccess } from "../../components/release/stack-access";

const catalog = {
	host: "127.0.0.1",
	port: 5432,
	database: "counting_dev_catalog",
	user: "counting_dev_catalog_reader",
	password: "r-secret",
	sslMode: "disable",
};
const inPlace = {
	url: "http://127.0.0.1:8080",
	release: "1.3.0",
	environment: "development",
	strategy: "in-place",
	catalog,
	migrations: { "1.0.0": "create_initial_schema" },
	databaseHost: "127.0.0.1",
	databasePort: 5432,
	databaseName: "counting_dev",
	databaseUser: "counting_dev_app",
	databasePassword: "a-secret",
};

describe("access to a stack", () => {
	it("is found in the outputs of strategy in-place", () => {
		assert.deepEqual(stackAccess("dev", inPlace), {
			stack: "dev",
			url: "http://127.0.0.1:8080",
			release: "1.3.0",
			environment: "development",
			strategy: "in-place",
			catalog,
			servers: {},
			application: {
				host: "127.0.0.1",
				port: 5432,
				database: "counting_dev",
				user: "counting_dev_app",
				password: "a-secret",
				sslMode: "disable",
			},
		});
	});

	it("has the colours and their servers for strategy blue-green", () => {
		const server = { ...catalog, database: "postgres" };
		const blue = {
			release: "1.3.0",
			generation: 1,
			database: "counting_dev_blue_1",
			url: "http://127.0.0.1:9",
		};
		const access = stackAccess("dev", {
			...inPlace,
			strategy: "blue-green",
			live: "blue",
			colors: { blue: { ...blue, requiredSchema: "1.3.0", health: "healthy" } },
			servers: { blue: server, green: server },
		});
		assert.deepEqual(
			[access.live, access.colors, access.servers],
			["blue", { blue }, { blue: server, green: server }],
		);
	});

	it("is refused with what is missing and no value, and tells to deploy", () => {
		for (const [outputs, keys] of [
			[
				{},
				"url, release, environment, strategy, catalog, databaseHost, databasePort, databaseName, databaseUser, databasePassword",
			],
			[{ ...inPlace, catalog: undefined }, "catalog"],
			[
				{ ...inPlace, catalog: { ...catalog, port: "x", extra: 1 }, databasePassword: 7 },
				"catalog.port, catalog, databasePassword",
			],
		] as const) {
			assert.throws(() => stackAccess("dev", outputs), {
				message:
					`the outputs of stack dev do not tell ${keys}: deploy it first (npm run pulumi -- up -s dev); ` +
					"a stack that an older version deployed gets them with its next update",
			});
		}
	});
});

import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { withCatalog } from "../../components/catalog/session";
import { type TestDatabase, testDatabase } from "../support/postgres";

describe("a catalog that no longer answers", () => {
	let database: TestDatabase;
	let proxy: Server;
	let frozen = false;
	const sockets: Socket[] = [];

	before(async () => {
		database = await testDatabase();
		const { host, port } = database.owner;
		proxy = createServer((client) => {
			const server = connect(port, host);
			sockets.push(client, server);
			client.on("data", (chunk) => void (frozen || server.write(chunk)));
			server.on("data", (chunk) => void client.write(chunk));
			client.on("close", () => server.destroy());
		});
		await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
	});

	after(async () => {
		for (const socket of sockets) {
			socket.destroy();
		}
		await new Promise((resolve) => proxy.close(resolve));
		await database.drop();
	});

	it("is given up, though it cannot end the statement itself", async () => {
		const catalog = { ...database.owner, port: (proxy.address() as AddressInfo).port };
		const limits = { statementTimeoutMs: 200, silenceMs: 100 };
		await assert.rejects(
			withCatalog(
				catalog,
				"test",
				async (client) => {
					await client.query("SELECT 1");
					frozen = true;
					await client.query("SELECT 2");
				},
				limits,
			),
			/Query read timeout/,
		);
	});
});

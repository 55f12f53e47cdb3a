import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { escapeIdentifier, escapeLiteral } from "pg";
import { type Connection, withClient } from "../../components/database/connection";
import { observe } from "../../components/monitoring/observe";
import { readReplication } from "../../components/monitoring/replication";
import { type TestDatabase, testDatabase } from "../support/postgres";

const SESSION = { applicationName: "test" };

describe("the links of a server", () => {
	let database: TestDatabase;
	let reader: Connection;
	const base = `c_${randomBytes(4).toString("hex")}`;

	const asSuperuser = (sql: string, values: unknown[] = []) =>
		withClient(database.superuser, SESSION, (client) => client.query(sql, values));

	beforeEach(async () => {
		database = await testDatabase();
		const [user, password] = [`${base}_reader`, randomBytes(12).toString("hex")];
		await asSuperuser(
			`CREATE ROLE ${escapeIdentifier(user)} LOGIN IN ROLE pg_monitor PASSWORD ${escapeLiteral(password)}`,
		);
		reader = { ...database.superuser, user, password, database: "postgres" };
		for (const name of [`${base}_1_to_2`, `${base}_other`]) {
			await asSuperuser("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
		}
	});

	afterEach(async () => {
		await asSuperuser(
			"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE starts_with(slot_name, $1)",
			[base],
		);
		await asSuperuser(`DROP ROLE ${escapeIdentifier(reader.user)}`);
		await database.drop();
	});

	it("are told apart from other slots, and how far behind they are", async () => {
		await asSuperuser("CREATE TABLE filled AS SELECT n, repeat('x', 100) FROM generate_series(1, 1000) AS n");
		const links = await withClient(reader, SESSION, readReplication);
		const [link, ...others] = links.filter(({ name }) => name.startsWith(base));
		assert.deepEqual(others, []);
		assert.ok(link);
		const { lagBytes, ...rest } = link;
		assert.ok(lagBytes > 100_000, `${lagBytes} bytes`);
		assert.deepEqual(rest, {
			name: `${base}_1_to_2`,
			from: 1,
			to: 2,
			active: false,
			walStatus: "reserved",
			lagSeconds: null,
		});
	});

	it("are read once from a server that both colours live on, and are a fault where it cannot be reached", async () => {
		const away = { ...reader, port: 1 };
		const { links, faults, status } = await observe({
			catalog: away,
			servers: { blue: reader, green: reader },
		});
		assert.equal(links.filter(({ name }) => name.startsWith(base)).length, 1);
		assert.equal(status, undefined);
		assert.equal(faults.length, 1);
		assert.match(faults[0] ?? "", /^cannot connect to .*_reader@127\.0\.0\.1:1\/postgres: /);
		const none = await observe({ catalog: away, servers: { blue: away } });
		assert.deepEqual([none.links, none.faults.length], [[], 2]);
	});
});

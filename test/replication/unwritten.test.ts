import assert from "node:assert/strict";
import { withClient } from "../../components/database/connection";
import { replicatedTables } from "../../components/replication/tables";
import { leaveOut } from "../../components/replication/unwritten";
import { type TestDatabase, testDatabase } from "../support/postgres";

describe("what the live release no longer writes", () => {
	let database: TestDatabase;

	before(async () => {
		database = await testDatabase();
		await withClient(database.superuser, { applicationName: "test" }, (client) =>
			client.query(`CREATE TABLE cameras (id int PRIMARY KEY, zone int, name text NOT NULL, note text NOT NULL DEFAULT '');
				CREATE SCHEMA old; CREATE TABLE old.lines (id int PRIMARY KEY); CREATE TABLE keyless (a int, b int)`),
		);
	});

	after(() => database.drop());

	const leftOut = (...names: string[]) =>
		withClient(database.superuser, { applicationName: "test" }, async (client) => {
			const { tables, findings } = await leaveOut(client, await replicatedTables(client), names);
			return {
				tables: tables.map(({ name, columns }) => [name, ...columns.map((column) => column.name)]),
				problems: findings.map(({ what }) => what),
			};
		});

	it("is left out of what is replicated, columns and whole tables", async () => {
		assert.deepEqual(await leftOut("cameras.zone", "public.cameras.note", "old.lines"), {
			tables: [
				["cameras", "id", "name"],
				["keyless", "a", "b"],
			],
			problems: [],
		});
	});

	it("must exist, must not tell rows apart, and must not be missing from rows that come back", async () => {
		const { problems } = await leftOut("cameras.zoen", "cameras.id", "cameras.name", "keyless.b");
		assert.deepEqual(problems, [
			"-- unwritten: cameras.zoen is neither a table nor a column of the live side",
			'-- unwritten: column id of "public"."cameras" is part of the key by which changed rows are found',
			'-- unwritten: column name of "public"."cameras" takes no NULL and has no default, so rows of the new release could not come back',
			'-- unwritten: column b of "public"."keyless" tells rows apart, since the table has no primary key',
		]);
	});
});

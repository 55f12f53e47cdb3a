import { strict as assert } from "node:assert";
import { type Properties, UNKNOWN } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import type { Peer } from "./plugin";
import { subject, TOKENS } from "./resource";
import { Pair, unlessMissing } from "./stage";

type Case = [type: string, news: Properties, olds?: Properties];

const { role, database, grant, defaultPrivileges, schema, extension, grantRole } = TOKENS;
const roleInputs = {
	__defaults: ["connectionLimit", "encryptedPassword", "inherit", "name", "validUntil"],
	connectionLimit: -1,
	encryptedPassword: true,
	inherit: true,
	name: "chosen-1234567",
	validUntil: "infinity",
};

const accepted: Case[] = [
	[role, { name: "a" }],
	[role, { name: "a", connectionLimit: "7", login: "true", validUntil: null }],
	[role, { name: 5, roles: ["b", "a", "b"], searchPaths: ["z", "y"], superuser: false, inherit: false }],
	[role, { name: "" }],
	[role, { name: "a", connectionLimit: UNKNOWN, roles: ["b", UNKNOWN], password: UNKNOWN }],
	[role, { name: "a", passwordWo: "p", passwordWoVersion: "1" }],
	[role, { login: true }, roleInputs],
	[role, { name: "given", connectionLimit: 3 }, roleInputs],
	[role, { login: true }, { ...roleInputs, __defaults: ["encryptedPassword"], validUntil: "2030-01-01" }],
	[role, { name: "a" }, { ...roleInputs, __defaults: [...roleInputs.__defaults, "login"], login: false }],
	[database, { name: "a", connectionLimit: 0, isTemplate: false, owner: "" }],
	[database, { name: "a", allowConnections: false, template: "template1" }],
	[grant, { database: "d", role: "r", objectType: "database", privileges: [] }],
	[
		grant,
		{ database: "d", role: "r", objectType: "table", privileges: ["SELECT", UNKNOWN], withGrantOption: true },
	],
	[defaultPrivileges, { database: "d", role: "r", owner: "o", objectType: "type", privileges: ["USAGE"] }],
	[schema, { name: "s", ifNotExists: false }],
	[schema, { name: "s", database: "d", owner: "o" }],
	[extension, { name: "e", version: 2 }],
	[grantRole, { role: "a", grantRole: "b", withAdminOption: true }],
];

const refused: Case[] = [
	[role, { name: "a", connectionLimit: -5, statementTimeout: -1, login: "yes", unheardOf: 1 }],
	[role, { name: "a", passwordWo: "q" }],
	[database, { name: "a", connectionLimit: -2 }],
	[grant, {}],
	[grant, { database: "d", role: "r", objectType: "view", privileges: ["SELECT"] }],
	[grant, { database: "d", role: "r", objectType: "table", privileges: null }],
	[defaultPrivileges, { objectType: "column" }],
	[grantRole, {}],
];

describe(`the embedded PostgreSQL provider checks inputs as the real plugin does${unlessMissing}`, () => {
	let pair: Pair;

	before(async function () {
		pair = await Pair.start(this, await testServer());
	});

	after(() => pair?.close());

	const ask = (peer: Peer, [type, news, olds]: Case) =>
		peer.check({ ...subject(type), news, olds, randomSeed: new Uint8Array(32) });

	for (const each of accepted) {
		const [type, news, olds] = each;
		const shown = JSON.stringify(news, (_, value) => (value === UNKNOWN ? "?" : value));
		it(`keeps the same of ${type.split(":")[2]} ${shown}${olds ? " after an update" : ""}`, async () => {
			const expected = await ask(pair.plugin, each);
			assert.deepEqual(expected.failures, []);
			assert.deepEqual(await ask(pair.embedded, each), expected);
		});
	}

	for (const each of refused) {
		it(`finds as much wrong with ${each[0].split(":")[2]} ${JSON.stringify(each[1])}`, async () => {
			const expected = await ask(pair.plugin, each);
			const actual = await ask(pair.embedded, each);
			assert.notEqual(expected.failures?.length, 0);
			assert.equal(actual.failures?.length, expected.failures?.length);
		});
	}
});

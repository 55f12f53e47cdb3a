import assert from "node:assert/strict";
import { policiesFor } from "../../policy/policies";
import { declaredBy } from "../platform/aws/declared";
import { deployCommitted } from "../platform/committed";
import { PRODUCTION, reported } from "./policies";

/** What each rule reports of each resource of the production stack, sorted, as `policy name: fault`. */
async function faults(changes: Record<string, string> = {}): Promise<string[]> {
	const own = { databaseCertificates: "test/platform/aws/certificates.pem", ...changes };
	const declared = await declaredBy(() => deployCommitted("production", own));
	const rules = policiesFor(PRODUCTION).filter((policy) => "validateResource" in policy);
	const found: string[] = [];
	for (const { type, name, inputs } of declared.filter((each) => /^(aws|postgresql):/.test(each.type))) {
		for (const rule of rules) {
			const messages = await reported(rule.name, { type, props: inputs });
			found.push(...messages.map((message) => `${rule.name} ${name}: ${message}`));
		}
	}
	return found.sort();
}

describe("the production stack on platform aws", () => {
	it("keeps production's rules", async () => {
		assert.deepEqual(await faults(), []);
	});

	it("is found out where its settings break them", async () => {
		const servers = ["server-blue", "server-green", "server"];
		assert.deepEqual(await faults({ protectDatabases: "false" }), [
			...servers.map(
				(server) =>
					`aws-database-protected ${server}-instance: nothing keeps the database from being deleted: set deletionProtection to true`,
			),
		]);
	});
});

import { auditText } from "../components/audit/audit-text";
import { auditCatalog } from "../components/audit/verify";
import { withClient } from "../components/database/connection";
import { run } from "./run";
import { openStack } from "./stack-access";
import { stackOptions } from "./stack-options";

const USAGE = "usage: npm run audit -- --stack <stack> [--head <hash that was kept>] [--json]";
const SESSION = { applicationName: "deployment-audit", statementTimeoutMs: 300_000 };

async function main(args: string[]): Promise<number> {
	const options = readOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const { stack, head, json } = options;
	const { catalog } = await openStack(stack);
	const audit = await withClient(catalog, SESSION, (client) =>
		auditCatalog(client, { ...(head !== undefined && { head }) }),
	);
	console.log(json ? JSON.stringify(audit, null, 2) : auditText(audit));
	return audit.faults.length === 0 ? 0 : 1;
}

function readOptions(args: string[]): { stack: string; head?: string; json: boolean } | undefined {
	const asked = stackOptions(args, {
		head: { type: "string" },
		json: { type: "boolean", default: false },
	});
	const { head, json = false } = asked?.values ?? {};
	const isHash = head === undefined || /^[0-9a-f]{64}$/.test(head);
	return asked && isHash ? { stack: asked.stack, json, ...(head !== undefined && { head }) } : undefined;
}

// `npm run audit -- --stack local`: whether anything of the record of deployments was changed afterwards.
run(main);

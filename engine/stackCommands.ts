/** stack, and what is below it. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { requireOperands } from "./arguments";
import {
	checkpointText,
	ExportedDeployment,
	parseCheckpoint,
	readSnapshot,
	requireSupported,
} from "./checkpoint";
import { confirm } from "./confirm";
import { EngineError, EXIT, messageOf } from "./errors";
import { readHistory } from "./history";
import { showHistory } from "./historyText";
import { cancelLocks, withLock } from "./lock";
import { parseStackName, type StackName, selectedStack, selectStack } from "./project";
import { revealSecrets } from "./revealSecrets";
import { type Session, stackOutputs } from "./session";
import { showStack } from "./stackText";
import { table } from "./table";
import { ROOT_STACK_TYPE } from "./urn";
import { plainText, toJson } from "./valueText";

function qualifiedName(name: StackName): string {
	return `organization/${name.project}/${name.stack}`;
}

export async function stackOverview(session: Session): Promise<number> {
	const stack = await session.open(session.stackName());
	showStack(session, stack, session.snapshot(stack));
	return EXIT.success;
}

export async function stackInit(session: Session): Promise<number> {
	const { operands, texts, switches } = session.args;
	requireOperands(operands, 0, 1);
	const given = operands[0] ?? texts.get("stack");
	if (given === undefined) throw new EngineError("missing stack name", EXIT.configuration);
	const name = parseStackName(given, session.project.name);
	if (session.backend.exists(name)) throw new EngineError(`stack '${name.stack}' already exists`);
	const crypter = await session.crypter(session.config(name).salt);
	const text = checkpointText(qualifiedName(name), { resources: [], operations: [] }, crypter);
	session.backend.save(name, text);
	if (!switches.has("no-select")) {
		selectStack(session.project, session.backend.url, session.io.env, qualifiedName(name));
	}
	session.print(`Created stack '${name.stack}'`);
	return EXIT.success;
}

export async function stackList(session: Session): Promise<number> {
	requireOperands(session.args.operands, 0, 0);
	const { project, backend, args } = session;
	const selected = session.io.env.PULUMI_STACK || selectedStack(project, backend.url, session.io.env);
	const current = selected === undefined ? undefined : qualifiedName(parseStackName(selected, project.name));
	const all = args.switches.has("all");
	const rows = backend.list(all ? undefined : project.name).map((name) => {
		const { time, resources } = backend.load(name);
		return {
			name,
			current: qualifiedName(name) === current,
			time: resources.length > 0 ? time : undefined,
			count: resources.length,
		};
	});
	const shown = (name: StackName): string => (all ? qualifiedName(name) : name.stack);
	if (args.switches.has("json")) {
		const list = rows.map(({ name, current: isCurrent, time, count }) => ({
			name: shown(name),
			current: isCurrent,
			...(time === undefined ? {} : { lastUpdate: time }),
			updateInProgress: false,
			resourceCount: count,
		}));
		session.print(JSON.stringify(list, null, 2));
		return EXIT.success;
	}
	const cells = rows.map((row) => [
		shown(row.name) + (row.current ? "*" : ""),
		row.time ?? "n/a",
		String(row.count),
	]);
	for (const line of table(["NAME", "LAST UPDATE", "RESOURCE COUNT"], cells)) session.print(line);
	return EXIT.success;
}

export async function stackRemove(session: Session): Promise<number> {
	const { operands, switches } = session.args;
	requireOperands(operands, 0, 1);
	const name = session.stackName(operands[0] ?? session.args.texts.get("stack"));
	if (!switches.has("yes")) {
		if (!session.interactive) {
			throw new EngineError(
				"--yes must be passed in to proceed when running in non-interactive mode",
				EXIT.configuration,
			);
		}
		await confirm(session, `This will permanently remove the '${name.stack}' stack! Go on?`);
	}
	await removeStack(session, name, switches.has("force"));
	return EXIT.success;
}

/** @throws EngineError when resources are left and `force` is not given. */
export async function removeStack(session: Session, name: StackName, force: boolean): Promise<void> {
	const { backend, project, io } = session;
	await withLock(
		backend,
		name,
		(line) => session.print(line),
		async () => {
			const { resources } = backend.load(name);
			if (!force && resources.some(({ type }) => type !== ROOT_STACK_TYPE)) {
				throw new EngineError(
					`'${name.stack}' still has resources; removal rejected. Possible actions:\n` +
						`- Make sure that '${name.stack}' is the stack that you want to destroy\n` +
						"- Run `pulumi destroy` to delete the resources, then run `pulumi stack rm`\n" +
						"- Run `pulumi stack rm --force` to override this error",
				);
			}
			backend.remove(name);
		},
	);
	const selected = selectedStack(project, backend.url, io.env);
	if (
		selected !== undefined &&
		qualifiedName(parseStackName(selected, project.name)) === qualifiedName(name)
	) {
		selectStack(project, backend.url, io.env, undefined);
	}
	session.print(`Stack '${name.stack}' has been removed!`);
}

export async function stackSelect(session: Session): Promise<number> {
	const { operands, texts, switches } = session.args;
	requireOperands(operands, 0, 1);
	const given = operands[0] ?? texts.get("stack");
	if (given === undefined) throw new EngineError("a stack name is needed to select one", EXIT.configuration);
	const name = parseStackName(given, session.project.name);
	if (!session.backend.exists(name)) {
		if (switches.has("create")) return stackInit(session);
		throw new EngineError(`no stack named '${name.stack}' found`, EXIT.stackNotFound);
	}
	selectStack(session.project, session.backend.url, session.io.env, qualifiedName(name));
	return EXIT.success;
}

export async function stackUnselect(session: Session): Promise<number> {
	selectStack(session.project, session.backend.url, session.io.env, undefined);
	session.print("Stack was unselected");
	return EXIT.success;
}

export async function stackOutput(session: Session): Promise<number> {
	const { operands, switches } = session.args;
	requireOperands(operands, 0, 1);
	const stack = await session.open(session.stackName());
	const outputs = stackOutputs(session.snapshot(stack));
	const showSecrets = switches.has("show-secrets");
	const [wanted] = operands;
	if (wanted !== undefined) {
		const value = Object.hasOwn(outputs, wanted) ? outputs[wanted] : undefined;
		if (value === undefined) throw new EngineError(`current stack does not have output property '${wanted}'`);
		const json = JSON.stringify(toJson(value, showSecrets), null, 2);
		session.print(switches.has("json") ? json : plainText(value, showSecrets));
		return EXIT.success;
	}
	if (switches.has("json")) {
		session.print(JSON.stringify(toJson(outputs, showSecrets), null, 2));
		return EXIT.success;
	}
	const rows = Object.keys(outputs)
		.sort()
		.map((key) => [key, plainText(outputs[key]!, showSecrets)]);
	session.print(`Current stack outputs (${rows.length}):`);
	if (rows.length === 0) session.print("    No output values currently in this stack");
	else for (const line of table(["OUTPUT", "VALUE"], rows)) session.print(`    ${line}`);
	return EXIT.success;
}

export async function stackHistory(session: Session): Promise<number> {
	requireOperands(session.args.operands, 0, 0);
	const name = session.stackName();
	const records = readHistory(session.backend, name);
	await showHistory(session, name, records);
	return EXIT.success;
}

export async function stackExport(session: Session): Promise<number> {
	const { switches, texts } = session.args;
	const name = session.stackName();
	const { deployment, salt } = session.backend.load(name);
	const shown = switches.has("show-secrets")
		? revealSecrets(deployment ?? {}, await session.crypter(salt))
		: (deployment ?? {});
	const text = JSON.stringify({ version: 3, deployment: shown }, null, 4);
	const file = texts.get("file");
	if (file === undefined) session.print(text);
	else (await import("node:fs")).writeFileSync(resolve(session.cwd, file), `${text}\n`, { mode: 0o600 });
	return EXIT.success;
}

export async function stackImport(session: Session): Promise<number> {
	const name = session.stackName();
	const file = session.args.texts.get("file");
	let content: unknown;
	try {
		content = JSON.parse(readFileSync(file === undefined ? 0 : resolve(session.cwd, file), "utf8"));
	} catch (error) {
		throw new EngineError(`could not read the deployment to import: ${messageOf(error)}`);
	}
	const result = ExportedDeployment.safeParse(content);
	if (!result.success)
		throw new EngineError(`this is no exported deployment:\n${z.prettifyError(result.error)}`);
	requireSupported(result.data.version, result.data.features, "the deployment to import");
	const checkpoint = parseCheckpoint(
		{ version: 3, checkpoint: { stack: qualifiedName(name), latest: result.data.deployment } },
		"the deployment to import",
	);
	const foreign = checkpoint.resources.find(
		({ urn }) => !String(urn).startsWith(`urn:pulumi:${name.stack}::${name.project}::`),
	);
	if (foreign !== undefined && !session.args.switches.has("force")) {
		throw new EngineError(
			`resource '${String(foreign.urn)}' belongs to another stack; use --force to import it anyway`,
		);
	}
	await withLock(
		session.backend,
		name,
		(line) => session.print(line),
		async () => {
			const crypter = await session.crypter(checkpoint.salt ?? session.backend.load(name).salt);
			session.backend.save(
				name,
				checkpointText(qualifiedName(name), readSnapshot(checkpoint, crypter), crypter),
			);
		},
	);
	session.print("Import complete.");
	return EXIT.success;
}

export async function cancel(session: Session): Promise<number> {
	requireOperands(session.args.operands, 0, 1);
	const name = session.stackName(session.args.operands[0] ?? session.args.texts.get("stack"));
	if (!session.args.switches.has("yes")) {
		if (!session.interactive) {
			throw new EngineError(
				"--yes must be passed in to proceed when running in non-interactive mode",
				EXIT.configuration,
			);
		}
		await confirm(
			session,
			`This will irreversibly cancel the currently running update for '${name.stack}'! Go on?`,
		);
	}
	cancelLocks(session.backend, name);
	session.print(`The currently running update for '${name.stack}' has been canceled!`);
	return EXIT.success;
}

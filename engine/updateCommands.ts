/** preview, up, refresh, destroy. */
import type { FlagKinds } from "./arguments";
import { requireOperands } from "./arguments";
import { confirm, requireConfirmable } from "./confirm";
import { EngineError, EXIT } from "./errors";
import type { UpdateKind } from "./history";
import { withLock } from "./lock";
import { type OperationOptions, Operator } from "./operation";
import type { Session } from "./session";
import { buildOf, sourceControlOf } from "./sourceControl";

export const PREVIEW_FLAGS: FlagKinds = {
	diff: "switch",
	"expect-no-changes": "switch",
	refresh: "switch",
	parallel: "text",
	message: "text",
	"suppress-outputs": "switch",
	"suppress-permalink": "switch",
};

export const UPDATE_FLAGS: FlagKinds = {
	...PREVIEW_FLAGS,
	yes: "switch",
	"skip-preview": "switch",
	"preview-only": "switch",
	"clear-pending-creates": "switch",
	remove: "switch",
};

/** Runs a verb on the stack; `remove` is called after a destroy that shall remove the stack too. */
export async function operate(session: Session, kind: UpdateKind, previewOnly: boolean): Promise<number> {
	const { switches, texts, operands } = session.args;
	requireOperands(operands, 0, 0);
	const onlyPreview = previewOnly || switches.has("preview-only");
	if (!onlyPreview) requireConfirmable(session);
	const name = session.stackName();
	const source = onlyPreview ? { environment: {} } : await sourceControlOf(session.cwd);
	const base: Omit<OperationOptions, "preview"> = {
		kind,
		refresh: kind === "refresh" || switches.has("refresh"),
		clearPendingCreates: switches.has("clear-pending-creates"),
		message: texts.get("message") ?? source.subject ?? "",
		sourceControl: { ...buildOf(process.env), ...source.environment },
	};
	const work = async (): Promise<number> => {
		const operator = await Operator.start(session, await session.open(name));
		const interrupt = (): void => operator.interrupt();
		process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
		try {
			return await previewAndUpdate(session, operator, base, onlyPreview);
		} finally {
			process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
			await operator.stop();
		}
	};
	if (onlyPreview) return work();
	return withLock(session.backend, name, (line) => session.print(line), work);
}

async function previewAndUpdate(
	session: Session,
	operator: Operator,
	base: Omit<OperationOptions, "preview">,
	onlyPreview: boolean,
): Promise<number> {
	const { switches } = session.args;
	if (onlyPreview || !switches.has("skip-preview")) {
		const { changes } = await operator.run({ ...base, preview: true });
		if (onlyPreview) return checkChanges(session, changes, "preview");
	}
	if (!switches.has("yes") && !switches.has("skip-preview")) {
		const verb = {
			update: "perform this update",
			refresh: "perform this refresh",
			destroy: "destroy",
			import: "import",
		};
		await confirm(session, `Do you want to ${verb[base.kind]}?`);
	}
	const { changes } = await operator.run({ ...base, preview: false });
	return checkChanges(session, changes, base.kind);
}

function checkChanges(session: Session, changes: boolean, what: string): number {
	if (changes && session.args.switches.has("expect-no-changes")) {
		throw new EngineError(
			`no changes were expected for ${what} but changes were proposed`,
			EXIT.changesFound,
		);
	}
	return EXIT.success;
}

import type { Node } from "libpg-query";
import { lintSections } from "../../components/migrations/lint";
import type { Migration } from "../../components/migrations/migration";
import { lineOf, statementsOf } from "../../components/migrations/statements";

/** Role attributes that no migration may give, since the owner that runs it must not have them either. */
const POWERS = ["superuser", "createrole", "createdb", "isreplication", "bypassrls"];

/** Rules of squawk about statements that keep the service waiting, or that break the release which is running. */
const LOCKING = new Set([
	"adding-field-with-default",
	"adding-foreign-key-constraint",
	"adding-not-nullable-field",
	"adding-required-field",
	"adding-serial-primary-key-field",
	"ban-drop-not-null",
	"changing-column-type",
	"constraint-missing-not-valid",
	"disallowed-unique-constraint",
	"require-concurrent-index-creation",
	"require-concurrent-index-deletion",
]);

/** Statements of migrations that give somebody more than the project declares, a line each. */
export async function dangerousSql(migrations: readonly Migration[]): Promise<string[]> {
	const found: string[] = [];
	for (const { path, up } of migrations) {
		for (const { node, start } of await statementsOf(up)) {
			found.push(...dangersOf(node).map((danger) => `${path}:${lineOf(up, start)}: ${danger}`));
		}
	}
	return found;
}

/** What squawk finds in migrations that run on a live database; undefined where it has no program. */
export async function lockingSql(migrations: readonly Migration[]): Promise<string[] | undefined> {
	const warnings = await lintSections(
		migrations.map(({ version, up: section }) => ({ version, direction: "up" as const, section })),
	);
	return warnings
		?.filter(({ rule }) => LOCKING.has(rule))
		.map(({ version, line, rule, message, help = "" }) => {
			const path = migrations.find((migration) => migration.version === version)?.path;
			return `${path}:${line}: ${message} ${help} (${rule})`;
		});
}

function dangersOf(node: Node): string[] {
	if ("GrantStmt" in node && node.GrantStmt.is_grant) {
		const toPublic = (node.GrantStmt.grantees ?? []).some(
			(grantee) => "RoleSpec" in grantee && grantee.RoleSpec.roletype === "ROLESPEC_PUBLIC",
		);
		return toPublic ? ["it grants to PUBLIC, which is every role of the server: name the role"] : [];
	}
	if ("CreateFunctionStmt" in node) {
		return definerDangers(node.CreateFunctionStmt.options ?? []);
	}
	if ("CreateRoleStmt" in node || "AlterRoleStmt" in node) {
		const options = "CreateRoleStmt" in node ? node.CreateRoleStmt.options : node.AlterRoleStmt.options;
		const names = namesOf(options ?? []);
		return [
			...(names.includes("password") ? ["it has a password, which stays in the file: leave it out"] : []),
			...names
				.filter((name) => POWERS.includes(name))
				.map((name) => `it speaks of ${name}: roles are declared by the stack, without such powers`),
		];
	}
	return [];
}

/** A function with its owner's rights runs whatever its caller puts into the search path, unless it sets one. */
function definerDangers(options: Node[]): string[] {
	const names = namesOf(options);
	const isDefiner = options.some(
		(option) =>
			"DefElem" in option &&
			option.DefElem.defname === "security" &&
			option.DefElem.arg !== undefined &&
			"Boolean" in option.DefElem.arg &&
			option.DefElem.arg.Boolean.boolval === true,
	);
	const setsPath = options.some(
		(option) =>
			"DefElem" in option &&
			option.DefElem.defname === "set" &&
			option.DefElem.arg !== undefined &&
			"VariableSetStmt" in option.DefElem.arg &&
			option.DefElem.arg.VariableSetStmt.name === "search_path",
	);
	return names.includes("security") && isDefiner && !setsPath
		? ["a SECURITY DEFINER function without SET search_path: add SET search_path = pg_catalog, public"]
		: [];
}

function namesOf(options: Node[]): string[] {
	return options.flatMap((option) => ("DefElem" in option ? [option.DefElem.defname ?? ""] : []));
}

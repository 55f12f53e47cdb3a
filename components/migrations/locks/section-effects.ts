import type { Node, ObjectType } from "libpg-query";
import type { Section } from "../migration";
import { lineOf, statementsOf } from "../statements";
import { nameText, type StatementEffect } from "./statement-effect";
import { effectOf } from "./statement-locks";

/** A statement of a section, with what it locks of what was there before the section. */
export interface SectionStatement {
	sql: string;
	node: Node;
	/** 1-based, of the section's file. */
	line: number;
	effect: StatementEffect;
}

/**
 * What each statement of a section locks and does. Locks of what the section itself has made are left out, since nobody
 * else knows it yet.
 *
 * @param names what sections before it have made, where that is nobody else's either; it learns of this one's
 * @throws Error when PostgreSQL's parser refuses the section
 */
export async function sectionEffects(
	section: Section,
	names: OwnNames = new OwnNames(),
): Promise<SectionStatement[]> {
	return (await statementsOf(section)).map(({ sql, start, node }) => ({
		sql,
		node,
		line: lineOf(section, start),
		effect: names.withoutOwn(node, effectOf(node)),
	}));
}

const RELATIONS: readonly (ObjectType | undefined)[] = [
	"OBJECT_TABLE",
	"OBJECT_VIEW",
	"OBJECT_MATVIEW",
	"OBJECT_FOREIGN_TABLE",
	"OBJECT_SEQUENCE",
	"OBJECT_INDEX",
];

/** The names that statements so far have made for certain. */
export class OwnNames {
	private readonly made = new Set<string>();
	/** What was there before, so that its name may be in use whoever makes it again. */
	private readonly there = new Set<string>();
	/** False once it is not known which schema a name without one belongs to. */
	private hasSchema = true;

	withoutOwn(node: Node, effect: StatementEffect): StatementEffect {
		const locks = effect.locks.filter(({ relation }) => !this.made.has(relation));
		for (const { relation } of locks) this.there.add(relation);
		this.take(node, effect);
		for (const name of effect.makes) this.give(name);
		return { ...effect, locks };
	}

	/** Forgets the names that a statement gives away. */
	private take(node: Node, { locks }: StatementEffect): void {
		if ("VariableSetStmt" in node && node.VariableSetStmt.name === "search_path") {
			this.made.clear();
			this.hasSchema = false;
		}
		const renames = "RenameStmt" in node && RELATIONS.includes(node.RenameStmt.renameType);
		if ("DropStmt" in node || "AlterObjectSchemaStmt" in node || renames) {
			const own = locks.filter(({ relation }) => this.made.delete(relation));
			if (renames && own.length > 0) {
				const { relation, newname } = node.RenameStmt;
				this.give(nameText([relation?.schemaname, newname].filter((part) => part !== undefined)));
			}
		}
	}

	private give(name: string): void {
		if (this.hasSchema && !this.there.has(name)) this.made.add(name);
	}
}

import { z } from "zod";
import { withClient } from "../../components/database/connection";
import type { TestProject } from "./project";

const exportedSecret = z.object({ plaintext: z.string() });

/** Every password that the state knows, from wherever in it secrets stand. */
export async function generatedPasswords(project: TestProject): Promise<string[]> {
	const { stdout } = await project.must("stack", "export", "--show-secrets", "-s", project.stack);
	const found = new Set<string>();
	const visit = (value: unknown, key = "") => {
		const secret = exportedSecret.safeParse(value);
		if (secret.success) {
			visit(JSON.parse(secret.data.plaintext), key);
		} else if (typeof value === "object" && value !== null) {
			for (const [name, part] of Object.entries(value)) {
				visit(part, name);
			}
		} else if (typeof value === "string" && /^(password|value|databasePassword)$/.test(key)) {
			found.add(value);
		}
	};
	visit(JSON.parse(stdout));
	return [...found];
}

/** The texts that have a secret in them. */
export function containing(texts: string[], secrets: string[]): string[] {
	return texts.filter((text) => secrets.some((secret) => text.includes(secret)));
}

/** Every row of every table and view of a database as text, those of its extensions included. */
export async function everyRow(project: TestProject, database: string): Promise<string[]> {
	const connection = await project.superuser(database);
	return withClient(connection, { applicationName: "test" }, async (client) => {
		const { rows: tables } = await client.query<{ name: string }>(
			`SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
			WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
		);
		const found: string[] = [];
		for (const { name } of tables) {
			const { rows } = await client.query<{ row: string }>(`SELECT each::text AS row FROM ${name} AS each`);
			found.push(...rows.map(({ row }) => row));
		}
		return found;
	});
}

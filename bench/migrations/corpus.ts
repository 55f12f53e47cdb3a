import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The same trivial migrations in the form of each contender. */
export interface Corpus {
	count: number;
	ours: string;
	nodePgMigrate: string;
	dbmate: string;
	/** All of it as one script. */
	script: string;
}

/** Writes `count` migrations, each of which creates one small table. */
export function writeCorpus(directory: string, count: number): Corpus {
	const corpus = {
		count,
		ours: join(directory, "ours"),
		nodePgMigrate: join(directory, "node-pg-migrate"),
		dbmate: join(directory, "dbmate"),
		script: join(directory, "all.sql"),
	};
	for (const folder of [corpus.ours, corpus.nodePgMigrate, corpus.dbmate])
		mkdirSync(folder, { recursive: true });
	const script: string[] = [];
	for (let number = 0; number < count; number++) {
		const up = `CREATE TABLE t_${number} (id bigint PRIMARY KEY, name text NOT NULL);`;
		const down = `DROP TABLE t_${number};`;
		const name = `create_t_${number}`;
		const stamp = 20260101000000 + number;
		const sections = `-- migrate:up\n${up}\n\n-- migrate:down\n${down}\n`;
		writeFileSync(join(corpus.ours, `1.${number}.0_${name}.sql`), `-- type: schema\n\n${sections}`);
		writeFileSync(join(corpus.dbmate, `${stamp}_${name}.sql`), sections);
		writeFileSync(
			join(corpus.nodePgMigrate, `${stamp}_${name}.sql`),
			`-- Up Migration\n${up}\n\n-- Down Migration\n${down}\n`,
		);
		script.push(up);
	}
	writeFileSync(corpus.script, `${script.join("\n")}\n`);
	return corpus;
}

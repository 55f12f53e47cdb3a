import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import {
	MIGRATION_TYPES,
	type Migration,
	type MigrationType,
	SEEDED_ENVIRONMENTS,
	type Section,
	type SeededEnvironment,
} from "./migration";
import type { FileProblem } from "./problems";

const FILE_NAME = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})_([\p{L}\p{M}\p{N}_-]+)\.sql$/u;
const HEADER = /^--\s*([\p{L}-]+):(?:\s+(.*))?$/u;
const MARK = /^--\s*migrate:(\w*)(.*)$/;

export interface ParsedFile {
	/** Undefined when there are problems that leave no migration to speak of. */
	migration?: Migration;
	/** 1-based line of the `-- depends:` header, or 1. */
	dependsLine: number;
	problems: FileProblem[];
}

/** Reads one migration file: its name, header and sections, without looking into the SQL. */
export function parseMigrationFile(fileName: string, path: string, bytes: Buffer): ParsedFile {
	const problems: FileProblem[] = [];
	const report = (line: number, what: string, mend: string) => problems.push({ path, line, what, mend });
	const name = FILE_NAME.exec(fileName.normalize("NFC"));
	if (!name) {
		report(
			1,
			`the file name ${JSON.stringify(fileName)} is not <version>_<name>.sql`,
			"name it like 1.4.0_add_camera_zone.sql: a version of three numbers without leading zeros, then letters, digits, _ and -",
		);
	}
	reportBytes(bytes, report);
	if (problems.length > (name ? 0 : 1)) return { dependsLine: 1, problems };

	const lines = bytes.toString("utf8").split("\n");
	const header = readHeader(lines, report);
	const sections = readSections(lines, header.end, report);
	const irreversible = header.irreversible;
	if (!sections.up) {
		report(
			header.end + 1,
			"there is no up section",
			"put the line -- migrate:up above the SQL that applies it",
		);
	}
	if (!sections.down && irreversible === undefined) {
		report(
			lines.length,
			"there is no down section",
			"put -- migrate:down and the SQL that undoes it at the end, or -- irreversible: <reason> at the top",
		);
	}
	if (sections.down && irreversible !== undefined) {
		report(sections.down.line - 1, "an irreversible migration has a down section", "remove one of the two");
	}
	if (problems.length > 0 || !name || !sections.up || !header.type) {
		return { dependsLine: header.dependsLine, problems };
	}
	const migration: Migration = {
		version: `${name[1]}.${name[2]}.${name[3]}`,
		name: name[4]!,
		type: header.type,
		dependsOn: header.dependsOn,
		up: sections.up,
		...(sections.down && { down: sections.down }),
		...(irreversible !== undefined && { irreversible }),
		...(header.unwritten !== undefined && { unwritten: header.unwritten }),
		...(header.environments !== undefined && { environments: header.environments }),
		checksum: hash("sha256", bytes, "hex"),
		path,
	};
	return { migration, dependsLine: header.dependsLine, problems };
}

type Report = (line: number, what: string, mend: string) => void;

/** What an editor or a wrong setting of git puts into a file, and what would give it another checksum elsewhere. */
function reportBytes(bytes: Buffer, report: Report): void {
	if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
		report(1, "the file begins with a byte-order mark", "save it as UTF-8 without BOM");
	}
	const carriageReturn = bytes.indexOf("\r\n");
	if (carriageReturn !== -1) {
		report(lineOfByte(bytes, carriageReturn), "the line ends with CRLF", "save the file with LF line ends");
	}
	const nul = bytes.indexOf(0);
	if (nul !== -1) {
		report(lineOfByte(bytes, nul), "there is a NUL byte", "save the file as UTF-8 text without NUL bytes");
	} else if (!isUtf8(bytes)) {
		report(firstInvalidLine(bytes), "the line is not valid UTF-8", "save the file as UTF-8");
	}
}

function lineOfByte(bytes: Buffer, offset: number): number {
	let line = 1;
	for (let at = bytes.indexOf(10); at !== -1 && at < offset; at = bytes.indexOf(10, at + 1)) line++;
	return line;
}

function firstInvalidLine(bytes: Buffer): number {
	let line = 1;
	let start = 0;
	for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
		if (!isUtf8(bytes.subarray(start, end))) return line;
		start = end + 1;
		line++;
	}
	return line;
}

const UNWRITTEN = /^[\p{L}_][\p{L}\p{N}_$]*(\.[\p{L}_][\p{L}\p{N}_$]*){0,2}$/u;

interface Header {
	type?: MigrationType;
	dependsOn: string[];
	dependsLine: number;
	irreversible?: string;
	unwritten?: string[];
	environments?: SeededEnvironment[];
	environmentsLine: number;
	/** Index of the first line behind the header: that of the first section mark. */
	end: number;
}

function readHeader(lines: string[], report: Report): Header {
	const header: Header = { dependsOn: [], dependsLine: 1, environmentsLine: 1, end: lines.length };
	const seen = new Set<string>();
	let statement = false;
	for (const [index, line] of lines.entries()) {
		if (MARK.test(line)) {
			header.end = index;
			break;
		}
		if (line.trim() === "") continue;
		if (!line.startsWith("--")) {
			if (!statement)
				report(index + 1, "there is SQL above the first section", "put it below its section mark");
			statement = true;
			continue;
		}
		const [, key, value] = HEADER.exec(line) ?? [];
		if (key === undefined) continue;
		if (seen.has(key)) report(index + 1, `the header -- ${key}: appears twice`, "keep one of them");
		seen.add(key);
		readHeaderLine(header, key, value?.trim() ?? "", index + 1, report);
	}
	if (!seen.has("type")) {
		report(1, "there is no type", `put a line -- type: ${MIGRATION_TYPES.join("|")} at the top`);
	}
	if (header.environments !== undefined && header.type !== undefined && header.type !== "data") {
		report(
			header.environmentsLine,
			`a migration of type ${header.type} runs in some environments only`,
			"remove the line: the schema is the same everywhere, and only seed data, of type data, may differ",
		);
	}
	return header;
}

function readHeaderLine(header: Header, key: string, value: string, line: number, report: Report): void {
	if (key === "type") {
		header.type = MIGRATION_TYPES.find((type) => type === value);
		if (!header.type) {
			report(
				line,
				`the type ${JSON.stringify(value)} is unknown`,
				`use one of ${MIGRATION_TYPES.join(", ")}`,
			);
		}
	} else if (key === "depends") {
		header.dependsLine = line;
		const names = value.split(",").map((name) => name.trim().normalize("NFC"));
		if (names.includes("")) {
			report(line, "a dependency has no name", "write -- depends: name, name, or leave the line out");
		}
		for (const name of new Set(names.filter((name, index) => name !== "" && names.indexOf(name) !== index))) {
			report(line, `the dependency ${name} appears twice`, "name it once");
		}
		header.dependsOn = names.filter((name) => name !== "");
	} else if (key === "irreversible") {
		if (value === "")
			report(line, "there is no reason", "write -- irreversible: and why it cannot be undone");
		header.irreversible = value;
	} else if (key === "unwritten") {
		header.unwritten = value.split(",").map((name) => name.trim());
		if (!header.unwritten.every((name) => UNWRITTEN.test(name))) {
			report(
				line,
				`${JSON.stringify(value)} does not name tables or columns`,
				"write -- unwritten: table.column, table, schema.table.column",
			);
		}
	} else if (key === "environments") {
		const names = value.split(",").map((name) => name.trim());
		header.environmentsLine = line;
		header.environments = SEEDED_ENVIRONMENTS.filter((known) => names.includes(known));
		if (names.some((name) => !SEEDED_ENVIRONMENTS.some((known) => known === name))) {
			report(
				line,
				`${JSON.stringify(value)} does not name environments that get seed data`,
				`use ${SEEDED_ENVIRONMENTS.join(", ")}; production never gets any, and without the line every environment does`,
			);
		}
	} else {
		report(
			line,
			`the header -- ${key}: is unknown`,
			"use type, depends, irreversible, unwritten or environments; a comment must not begin with a word and a colon",
		);
	}
}

function readSections(lines: string[], from: number, report: Report): { up?: Section; down?: Section } {
	const sections: { up?: Section; down?: Section } = {};
	let index = from;
	while (index < lines.length) {
		const mark = MARK.exec(lines[index]!);
		if (!mark) return sections;
		let end = index + 1;
		while (end < lines.length && !MARK.test(lines[end]!)) end++;
		const line = index + 1;
		const [, direction, option] = mark;
		if (direction !== "up" && direction !== "down") {
			report(
				line,
				`the section mark -- migrate:${direction} is unknown`,
				"use -- migrate:up or -- migrate:down",
			);
		} else if (sections[direction]) {
			report(line, `there is a second ${direction} section`, "put all of its SQL into one section");
		} else {
			if (direction === "up" && sections.down) {
				report(line, "the up section is below the down section", "put it first");
			}
			if (!/^(\s+transaction:(true|false))?\s*$/.test(option!)) {
				report(
					line,
					`the option ${JSON.stringify(option!.trim())} is unknown`,
					"use transaction:false, or leave it out",
				);
			}
			const body = lines.slice(index + 1, end);
			if (body.every((text) => /^\s*(--.*)?$/.test(text))) {
				report(line, `the ${direction} section has no statement`, "write its SQL below the mark");
			}
			sections[direction] = {
				sql: body.join("\n"),
				transaction: !option!.includes("transaction:false"),
				line: line + 1,
			};
		}
		index = end;
	}
	return sections;
}

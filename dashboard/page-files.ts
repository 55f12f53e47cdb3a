import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

export interface PageFile {
	type: string;
	body: Buffer;
}

const DIRECTORY = join(__dirname, "page");
const TYPES: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
};

/** The files of the page by name, read once: nothing else can be asked for. */
export function readPage(): Map<string, PageFile> {
	return new Map(
		readdirSync(DIRECTORY).flatMap((name): [string, PageFile][] => {
			const type = TYPES[extname(name)];
			return type === undefined ? [] : [[name, { type, body: readFileSync(join(DIRECTORY, name)) }]];
		}),
	);
}

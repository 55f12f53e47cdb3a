import { execFile } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const LAUNCH_TIMEOUT_MS = 60_000;

/** Why no page is looked at in a browser here; undefined when it is. */
export const browserMissing: string | undefined =
	findOnPath() !== undefined || isPackaged()
		? undefined
		: `there is no Chromium on PATH, and none is packaged for ${process.platform} on ${process.arch}`;

/** Declares a suite that needs a browser; skipped with the reason where there is none. */
export function inBrowser(title: string, suite: () => void): void {
	if (browserMissing === undefined) {
		describe(title, suite);
	} else {
		describe.skip(`${title} (skipped: ${browserMissing})`, suite);
	}
}

/** Starts the Chromium on PATH, else the one that comes with the packages. */
export async function openBrowser(): Promise<Browser> {
	const executablePath = findOnPath();
	const program = executablePath !== undefined ? { executablePath } : await packagedBrowser();
	return chromium.launch({ ...program, timeout: LAUNCH_TIMEOUT_MS });
}

function findOnPath(): string | undefined {
	const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
	return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function isPackaged(): boolean {
	return process.platform === "linux" && process.arch === "x64";
}

let packaged: Promise<LaunchOptions> | undefined;

/** Unpacked once by a test process, for as long as that lives. */
function packagedBrowser(): Promise<LaunchOptions> {
	packaged ??= unpack();
	return packaged;
}

/** Prints where the program is that it unpacks. */
const UNPACK = `import chromium from "@sparticuz/chromium"; process.stdout.write(await chromium.executablePath())`;
const UNPACK_TIMEOUT_MS = 120_000;

async function unpack(): Promise<LaunchOptions> {
	const directory = mkdtempSync(join(tmpdir(), "counting-browser-"));
	process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
	const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", UNPACK], {
		cwd: __dirname,
		timeout: UNPACK_TIMEOUT_MS,
		// As told to be on such a machine it unpacks the libraries and fonts that a bare one lacks.
		env: { ...process.env, TMPDIR: directory, AWS_LAMBDA_JS_RUNTIME: "nodejs22.x" },
	});
	const fonts = join(directory, "fonts.conf");
	writeFileSync(fonts, fontsBelow(directory));
	return {
		executablePath: stdout,
		env: {
			...(process.env as Record<string, string>),
			LD_LIBRARY_PATH: join(directory, "al2023", "lib"),
			FONTCONFIG_FILE: fonts,
		},
	};
}

/** A page without any font crashes; the file that comes with the fonts expects them in /tmp. */
function fontsBelow(directory: string): string {
	return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
	<dir>${join(directory, "fonts")}</dir>
	<cachedir>${join(directory, "font-cache")}</cachedir>
</fontconfig>
`;
}

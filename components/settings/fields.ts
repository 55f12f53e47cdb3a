import { isIPv4 } from "node:net";
import { z } from "zod";
import { isPathList } from "./feature-paths";

/** A field of the stack config: how its text is read and, in the operator's words, what is allowed. */
export function field<T>(allowed: string, read: (text: string) => T | undefined) {
	return z
		.string()
		.transform((text, context) => {
			const value = read(text.trim());
			if (value === undefined) {
				context.addIssue({ code: "custom", message: allowed });
				return z.NEVER;
			}
			return value;
		})
		.meta({ allowed });
}

export function oneOf<const T extends readonly string[]>(values: T) {
	return field(`one of ${values.join(", ")}`, (text) =>
		values.find((value): value is T[number] => value === text),
	);
}

export function wholeNumber(from: number, to: number, unit = "") {
	return field(`a whole number from ${from} to ${to}${unit && ` (${unit})`}`, (text) => {
		const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
		return value >= from && value <= to ? value : undefined;
	});
}

export function flag() {
	return field("true or false", (text) => (text === "true" ? true : text === "false" ? false : undefined));
}

export function seconds(from: number, to: number) {
	return wholeNumber(from, to, "seconds");
}

export function milliseconds(from: number, to: number) {
	return wholeNumber(from, to, "milliseconds");
}

const VERSION = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/;

export function version() {
	return field("a version of three numbers, such as 1.3.0", (text) =>
		VERSION.test(text) ? text : undefined,
	);
}

export function versionList() {
	return field("versions of migrations, separated by commas, such as 1.5.0, 1.6.0", (text) => {
		const versions = text === "" ? [] : text.split(",").map((part) => part.trim());
		return versions.every((part) => VERSION.test(part)) ? versions : undefined;
	});
}

export function stackName(...more: string[]) {
	return field(["the name of a stack of this project", ...more].join(", "), (text) =>
		/^[A-Za-z0-9_.-]{1,100}$/.test(text) ? text : undefined,
	);
}

export function pathInProject() {
	return field("a path inside the project, such as migrations", (text) =>
		text !== "" && !text.startsWith("/") && !text.split(/[\\/]/).includes("..") && !text.includes("\0")
			? text
			: undefined,
	);
}

export function webAddress() {
	return field("an address that begins with https:// or http://, without user and password", (text) => {
		const url = URL.canParse(text) ? new URL(text) : undefined;
		const isPlain = url?.username === "" && url.password === "";
		return isPlain && ["https:", "http:"].includes(url.protocol) ? text : undefined;
	});
}

export function image(example: string) {
	return field(`an image with its tag (not latest) or digest, such as ${example}`, (text) => {
		const named =
			/^[a-z0-9][a-z0-9._:/-]*?(:([A-Za-z0-9_][A-Za-z0-9_.{}-]*|\{release\}))?(@sha256:[0-9a-f]{64})?$/.exec(
				text,
			);
		const [, , tag, digest] = named ?? [];
		return digest !== undefined || (tag !== undefined && tag !== "latest") ? text : undefined;
	});
}

export function dockerHost() {
	return field("the socket of this machine's Docker engine, such as unix:///var/run/docker.sock", (text) =>
		/^(unix|npipe):\/\/\S+$/.test(text) ? text : undefined,
	);
}

export function ipAddress() {
	return field("an IPv4 address of the Docker host, such as 0.0.0.0 for all of them", (text) =>
		isIPv4(text) ? text : undefined,
	);
}

/** As the Standard Webhooks specification has it. */
export function signingKey() {
	return field("24 to 64 random bytes in base64, as `openssl rand -base64 32` makes them", (text) => {
		const base64 = text.replace(/^whsec_/, "");
		const bytes = Buffer.from(base64, "base64");
		const isExact = bytes.toString("base64").replace(/=+$/, "") === base64.replace(/=+$/, "");
		return isExact && bytes.length >= 24 && bytes.length <= 64 ? text : undefined;
	});
}

export function pathList() {
	return field("paths with their query, each beginning with /, separated by commas; or none", (text) =>
		isPathList(text) ? text : undefined,
	);
}

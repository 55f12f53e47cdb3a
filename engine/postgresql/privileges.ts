import type { Properties } from "../provider";
import { text, texts } from "./values";

const BY_OBJECT_TYPE: { [objectType: string]: readonly string[] } = {
	database: ["CREATE", "CONNECT", "TEMPORARY"],
	table: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"],
	sequence: ["USAGE", "SELECT", "UPDATE"],
	schema: ["CREATE", "USAGE"],
	function: ["EXECUTE"],
	procedure: ["EXECUTE"],
	routine: ["EXECUTE"],
	type: ["USAGE"],
	foreign_data_wrapper: ["USAGE"],
	foreign_server: ["USAGE"],
	column: ["SELECT", "INSERT", "UPDATE", "REFERENCES"],
};

/** Since this server version tables have the privilege MAINTAIN. */
const MAINTAIN_VERSION = 170000;

function allPrivileges(objectType: string, serverVersion: number): readonly string[] {
	const base = BY_OBJECT_TYPE[objectType] ?? [];
	return objectType === "table" && serverVersion >= MAINTAIN_VERSION ? [...base, "MAINTAIN"] : base;
}

/** @throws Error naming each privilege that does not exist for the object type. */
export function validatePrivileges(planned: Properties, serverVersion: number): void {
	const objectType = text(planned, "objectType");
	const allowed = ["ALL", ...allPrivileges(objectType, serverVersion)];
	const wrong = texts(planned, "privileges").filter((privilege) => !allowed.includes(privilege));
	if (wrong.length > 0) {
		throw new Error(
			`\`privileges\`: ${wrong.join(", ")} cannot be granted on a ${objectType}; allowed: ${allowed.join(", ")}`,
		);
	}
}

/** Whether what is granted is what is wanted; ALL stands for each of them. */
export function isGranted(granted: string[], known: Properties, serverVersion: number): boolean {
	const wanted = texts(known, "privileges");
	const all = allPrivileges(text(known, "objectType"), serverVersion);
	return areSame(granted, wanted) || (wanted.includes("ALL") && areSame(granted, all));
}

function areSame(left: readonly string[], right: readonly string[]): boolean {
	return new Set(left).size === new Set(right).size && left.every((each) => right.includes(each));
}

import type { Target } from "../routing";
import { type AdminAddress, changeHaproxy, tellHaproxy } from "./haproxy-admin";
import { SERVER, SLOTS } from "./haproxy-config";

const NOTHING = "none";

/** A target in one of the router's slots. */
export interface SlotTarget extends Target {
	slot: string;
	/** Counts up: the newest has the highest. */
	order: number;
	/** Failures that the slot had counted before this target came into it. */
	failuresBefore: number;
}

export interface RouterState {
	hold: string | undefined;
	active: string | undefined;
	targets: SlotTarget[];
}

export interface SlotServer {
	/** Such as `UP`, `DOWN` or `MAINT`. */
	status: string;
	/** What its last health check found. */
	check: string;
	/** Requests that it is answering. */
	inFlight: number;
	/** Answers 5xx and requests that got none, since the router started. */
	failures: number;
}

/** What the router's state map says. */
export async function readState(address: AdminAddress, stateFile: string): Promise<RouterState> {
	const lines = (await tellHaproxy(address, `show map ${stateFile}`)).split("\n");
	const entries = new Map<string, string>();
	for (const line of lines) {
		const [, key, value] = line.trim().split(/\s+/);
		if (key !== undefined && value !== undefined && value !== NOTHING) {
			entries.set(key, value);
		}
	}
	const targets = SLOTS.flatMap((slot) => {
		const [order, failuresBefore, targetGroup, url] = entries.get(slot)?.split("|") ?? [];
		return targetGroup === undefined || url === undefined
			? []
			: [{ slot, targetGroup, url, order: Number(order), failuresBefore: Number(failuresBefore) }];
	});
	return { hold: entries.get("hold"), active: entries.get("active"), targets };
}

/** Changes one entry of the state map; without a value it says nothing. */
export async function writeState(
	address: AdminAddress,
	stateFile: string,
	key: string,
	value: string = NOTHING,
): Promise<void> {
	await changeHaproxy(address, `set map ${stateFile} ${key} ${value}`);
}

/** How a slot's target goes into the state map. */
export function slotEntry({ order, failuresBefore, targetGroup, url }: SlotTarget): string {
	return `${order}|${failuresBefore}|${targetGroup}|${url}`;
}

/** The address of a slot's server; undefined where its name is no longer known. */
export async function readAddress(address: AdminAddress, slot: string): Promise<string | undefined> {
	const lines = (await tellHaproxy(address, `show servers state ${slot}`)).split("\n");
	const header =
		lines
			.find((line) => line.startsWith("# "))
			?.slice(2)
			.split(" ") ?? [];
	const values = lines.find((line) => line.split(" ")[1] === slot)?.split(" ") ?? [];
	const found = values[header.indexOf("srv_addr")];
	if (found === undefined) {
		throw new Error(`the router does not tell the address of ${slot}: ${lines.join(" ")}`);
	}
	return found === "-" ? undefined : found;
}

/** The servers of all slots, by slot. */
export async function readServers(address: AdminAddress): Promise<Map<string, SlotServer>> {
	const [header = "", ...lines] = (await tellHaproxy(address, "show stat")).split("\n");
	const columns = header.replace(/^# /, "").split(",");
	const rows = lines.map((line) => {
		const values = line.split(",");
		return (name: string) => values[columns.indexOf(name)] ?? "";
	});
	const servers = new Map<string, SlotServer>();
	for (const slot of SLOTS) {
		const server = rows.find((field) => field("pxname") === slot && field("svname") === SERVER);
		const backend = rows.find((field) => field("pxname") === slot && field("svname") === "BACKEND");
		if (server !== undefined && backend !== undefined) {
			servers.set(slot, {
				status: server("status"),
				check: [server("check_status"), server("check_code")].filter((part) => part !== "").join(" "),
				inFlight: Number(backend("scur")),
				failures: Number(backend("hrsp_5xx")),
			});
		}
	}
	return servers;
}

/** Upper limits of the latency buckets, in milliseconds; one more bucket has no limit. */
export const BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/** Targets that one router can know at a time: two colours, with what an update leaves behind. */
export const SLOTS = ["slot_1", "slot_2", "slot_3", "slot_4", "slot_5", "slot_6"];
/** What each slot's only server is called. */
export const SERVER = "target";
/** Counts, by slot, the answers of its service: all, those 5xx, then the buckets. What got none, HAProxy counts itself. */
export const TABLE = "traffic";

export interface HaproxyConfigArgs {
	/** Where clients come, such as `:8080`. */
	bind: string;
	/** Where the deployment tells it where requests go, such as `127.0.0.1:9999`: whoever reaches it rules the router. */
	adminBind: string;
	/** The one address that may reach it there, if others could. */
	adminFrom?: string;
	/** The socket of its runtime API: HAProxy cannot tell by itself who asks, so that nobody comes there from outside. */
	adminSocket: string;
	/** The file in which it keeps its state map, in a folder that it can write to; it makes the file itself. */
	stateFile: string;
	/** The folder of `hold.lua` and `keep.lua`, as HAProxy finds it. */
	scripts: string;
	/** What a service answers with 200 when it can serve. */
	healthPath: string;
	/** Who knows the addresses of services that have names, which are looked up again while it runs, since a container's may change. */
	nameServer?: "as the host" | { host: string; port: number };
}

/**
 * The configuration of a router whose targets are set while it runs: it is never reloaded, so no connection is cut.
 * Requests go to the slot that the state map names.
 */
export function haproxyConfig(args: HaproxyConfigArgs): string {
	return [
		...globalSection(args),
		...resolvers(args),
		"",
		`backend ${TABLE}`,
		`\tstick-table type string len 16 size 64 store gpc(${BUCKETS_MS.length + 3})`,
		"",
		...adminGate(args),
		...frontend(args),
		...SLOTS.flatMap((slot) => ["", ...backend(slot, args)]),
		"",
	].join("\n");
}

function globalSection({ adminSocket, stateFile, scripts }: HaproxyConfigArgs): string[] {
	return [
		"global",
		"\tlog stdout format raw local0 notice",
		`\tstats socket unix@${adminSocket} mode 600 level admin`,
		"\tstats timeout 30s",
		`\tsetenv ROUTER_STATE ${stateFile}`,
		`\tsetenv ROUTER_ADMIN ${adminSocket}`,
		`\tsetenv ROUTER_SLOTS ${SLOTS.join(",")}`,
		// The first makes the file that the second and the frontend read.
		`\tlua-load ${scripts}/keep.lua`,
		`\tlua-load ${scripts}/hold.lua`,
		"",
		"defaults",
		"\tmode http",
		"\tlog global",
		"\ttimeout connect 2s",
		// A busy host is slow to answer; one that has ended refuses at once.
		"\ttimeout check 3s",
		"\ttimeout client 60s",
		"\ttimeout server 60s",
		"\ttimeout http-request 10s",
		"\ttimeout tunnel 1h",
		"\ttimeout queue 30s",
	];
}

function resolvers({ nameServer }: HaproxyConfigArgs): string[] {
	return nameServer === undefined
		? []
		: [
				"",
				"resolvers names",
				nameServer === "as the host"
					? "\tparse-resolv-conf"
					: `\tnameserver own ${nameServer.host}:${nameServer.port}`,
				"\thold valid 1s",
			];
}

function adminGate({ adminBind, adminFrom, adminSocket }: HaproxyConfigArgs): string[] {
	return [
		"listen admin",
		"\tmode tcp",
		`\tbind ${adminBind}`,
		...(adminFrom === undefined ? [] : [`\ttcp-request connection reject unless { src ${adminFrom} }`]),
		`\tserver socket unix@${adminSocket}`,
		"",
	];
}

function frontend({ bind, stateFile }: HaproxyConfigArgs): string[] {
	const [first, ...limits] = BUCKETS_MS.map((limit, index) => ({ limit, counter: index + 2 }));
	const took = (limit: number) => `{ var(txn.took) -m int le ${limit} }`;
	const above = (limit: number) => `{ var(txn.took) -m int gt ${limit} }`;
	const buckets = limits.map(
		({ limit, counter }, index) =>
			`\thttp-response sc-inc-gpc(${counter},0) if ${above(BUCKETS_MS[index] ?? 0)} ${took(limit)}`,
	);
	return [
		"frontend public",
		`\tbind ${bind}`,
		"\toption forwardfor",
		`\thttp-request lua.hold unless { str(hold),map(${stateFile},none) -m str none }`,
		"\thttp-request set-var(txn.started) date(0,ms)",
		`\thttp-request set-var(txn.slot) str(active),map(${stateFile},none)`,
		'\thttp-request return status 503 content-type text/plain string "no service is live" if { var(txn.slot) -m str none }',
		`\thttp-request track-sc0 var(txn.slot) table ${TABLE}`,
		"\thttp-response set-var(txn.took) date(0,ms),sub(txn.started)",
		"\thttp-response sc-inc-gpc(0,0)",
		"\thttp-response sc-inc-gpc(1,0) if { status ge 500 }",
		`\thttp-response sc-inc-gpc(${first?.counter},0) if ${took(first?.limit ?? 0)}`,
		...buckets,
		`\thttp-response sc-inc-gpc(${BUCKETS_MS.length + 2},0) if ${above(BUCKETS_MS.at(-1) ?? 0)}`,
		"\tuse_backend %[var(txn.slot)]",
	];
}

function backend(slot: string, { healthPath, nameServer }: HaproxyConfigArgs): string[] {
	const names = nameServer !== undefined ? " resolvers names init-addr none" : "";
	return [
		`backend ${slot}`,
		`\toption httpchk GET ${healthPath}`,
		"\thttp-check expect status 200",
		`\tserver ${SERVER} 127.0.0.1:1 check inter 500ms fastinter 100ms downinter 200ms fall 3 rise 1 disabled${names}`,
	];
}

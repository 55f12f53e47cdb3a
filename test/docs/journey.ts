/** A command of the documentation, as it is run, and what shows that it did what the documentation says. */
export interface JourneyStep {
	/** As the documentation has it, with `S` for the stack. */
	command: string;
	/** How it is run, where that differs: with an answer to what it would ask, or with real values. */
	as?: string;
	/** In what it prints. */
	shows: RegExp;
	/** How it ends, where not with 0. */
	code?: number;
	/** A file of the project that it gets as its input. */
	input?: string;
}

/** A stack from its beginning to its end, in an order in which somebody could come across the commands. */
export const JOURNEY: readonly JourneyStep[] = [
	{
		command: "npm run pulumi -- stack init production",
		as: "npm run pulumi -- stack init S",
		shows: /^/,
	},
	{
		command: "npm run pulumi -- preview -s S",
		shows: /builds blue-1 with release 1\.3\.0 and gives it the traffic/,
	},
	{
		command: "npm run pulumi -- up -s S",
		as: "npm run pulumi -- up --yes --skip-preview -s S",
		shows: /TrafficSwitch traffic created/,
	},
	{ command: "npm run health -- -s S", shows: /database_connectivity/ },
	{ command: "npm run health -- -s S --json", shows: /"check": "database_connectivity"/ },
	{ command: "npm run status -- -s S", shows: /1\.3\.0/ },
	{
		command: "npm run metrics -- -s S",
		as: "npm run metrics -- -s S --once",
		shows: /^deployment_catalog_up 1$/m,
	},
	{
		command: "npm run pulumi -- refresh -s S",
		as: "npm run pulumi -- refresh --yes --skip-preview -s S",
		shows: /unchanged/,
	},
	{ command: "npm run pulumi -- config set release 1.4.0 -s S", shows: /^/ },
	{
		command: "npm run report -- -s S",
		shows: /^# Release report: `staging`[\s\S]*builds green-2 with release 1\.4\.0/,
	},
	{ command: "npm run report -- -s S --out report.md", shows: /^/ },
	{
		command: "npm run report -- -s S --base v1.3.0",
		// A base that was named and cannot be read is refused: the test's copy of the project is no repository.
		code: 1,
		shows: /Compared with nothing: fatal: not a git repository/,
	},
	{
		command: "npm run drift -- -s S --issue",
		// As the engine says that there are changes.
		code: 7,
		shows: /the issue about staging was written/,
	},
	{ command: "npm run rollback -- -s S", code: 1, shows: /there is nothing to go back to/ },
	{
		command: "npm run pulumi -- config set passwordGeneration 2 -s S",
		shows: /^/,
	},
	{
		command: "npm run pulumi -- config set notifyFormat slack -s S",
		shows: /^/,
	},
	{
		command: "npm run pulumi -- config set --secret notifyUrl -s S < url.txt",
		input: "url.txt",
		shows: /^/,
	},
	{
		command: "npm run pulumi -- up -s S",
		as: "npm run pulumi -- up --yes --skip-preview -s S",
		shows: /traffic moved from blue-1 to green-2/,
	},
	{
		command: "npm run history -- -s S",
		shows: /update\s+1\.4\.0\s+completed[\s\S]*update\s+1\.3\.0\s+completed/,
	},
	{ command: "npm run history -- -s S --at 2026-01-31T08:00Z", code: 1, shows: /2026-01-31/ },
	{ command: "npm run audit -- -s S", shows: /^the audit log is whole: \d+ rows/ },
	{ command: "npm run audit -- -s S --json", shows: /"faults": \[\]/ },
	{
		command: "npm run audit -- -s S --head 3f1c…",
		as: `npm run audit -- -s S --head ${"3f1c".repeat(16)}`,
		code: 1,
		shows: /no row has the hash 3f1c/,
	},
	{
		command: "npm run rollback -- -s S",
		shows: /goes back from release 1\.4\.0 to 1\.3\.0[\s\S]*traffic moved from green-2 to blue-1/,
	},
	{
		command: "npm run pulumi -- config set releaseWithoutStaging 1.5.1 -s S",
		shows: /^/,
	},
	{ command: "npm run pulumi -- stack history -s S", shows: /1\.4\.0|succeeded/ },
	{ command: "npm run pulumi -- stack export --file state.json -s S", shows: /^/ },
	{ command: "npm run pulumi -- cancel -s S", as: "npm run pulumi -- cancel --yes -s S", shows: /^/ },
	{ command: "npm run new-migration -- add_zones", shows: /written: migrations\/1\.5\.0_add_zones\.sql/ },
	{
		command: "npm run pulumi -- destroy -s S",
		as: "npm run pulumi -- destroy --yes --skip-preview -s S",
		shows: /deleted/,
	},
	{ command: "npm run dev", shows: /The camera counting system, release 1\.3\.0, serves at http/ },
	{
		command: "npm run pulumi -- config set release 1.2.0 -s S",
		as: "npm run pulumi -- config set release 1.2.0 -s dev",
		shows: /^/,
	},
	{
		command: "npm run pulumi -- destroy -s S",
		as: "npm run pulumi -- destroy --yes --skip-preview -s dev",
		shows: /deleted/,
	},
];

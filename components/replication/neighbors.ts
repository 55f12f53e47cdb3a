import type { ClientBase } from "pg";
import { error, type Finding, note, warning } from "./finding";
import { type ReplicatedTable, shownName } from "./tables";

/** What else is at work in the live database that a second colour would meet. */
export async function neighborFindings(
	client: ClientBase,
	tables: readonly ReplicatedTable[],
	copying: boolean,
): Promise<Finding[]> {
	return [
		...(await foreignSubscriptions(client)),
		...(await foreignPublications(client, tables)),
		...(await restlessTriggers(client)),
		...(copying ? [...(await unvalidatedConstraints(client)), ...(await preparedTransactions(client))] : []),
	];
}

/** As links between colours are called. */
const OWN_LINK = "_\\d+_to_\\d+$";

async function foreignSubscriptions(client: ClientBase): Promise<Finding[]> {
	const { rows } = await client.query<{ name: string }>(
		`SELECT subname AS name FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid
		WHERE datname = current_database() AND subname !~ $1 ORDER BY subname`,
		[OWN_LINK],
	);
	return rows.map(({ name }) =>
		error(
			`subscription ${name} brings rows into the live database, which are not passed on to the idle one`,
			"drop it, or write those rows as the application does",
		),
	);
}

async function foreignPublications(
	client: ClientBase,
	tables: readonly ReplicatedTable[],
): Promise<Finding[]> {
	const { rows } = await client.query<{ name: string; refused: string[] }>(
		`SELECT pubname AS name, ARRAY(
				SELECT prrelid::regclass::text FROM pg_publication_rel
				WHERE prpubid = pg_publication.oid AND prattrs IS NOT NULL AND prrelid = ANY ($2::regclass[])
				ORDER BY 1
			) AS refused
		FROM pg_publication WHERE pubname !~ $1 ORDER BY pubname`,
		[OWN_LINK, tables.filter(({ identity }) => identity === "full").map(({ sql }) => sql)],
	);
	return rows.flatMap(({ name, refused }) => [
		note(`who follows publication ${name} of the live database has to be moved to the idle one by hand`),
		...refused.map((table) =>
			error(
				`publication ${name} lists columns of table ${table}, whose rows are told apart by all columns for the deployment: ` +
					"the live release could not change them any more",
				"publish it without a list of columns, or give the table a primary key in a release before",
			),
		),
	]);
}

async function restlessTriggers(client: ClientBase): Promise<Finding[]> {
	const { rows } = await client.query<{ trigger: string; schema: string; name: string }>(
		`SELECT tgname AS trigger, nspname AS schema, relname AS name
		FROM pg_trigger
		JOIN pg_class ON pg_class.oid = tgrelid
		JOIN pg_namespace ON pg_namespace.oid = relnamespace
		JOIN pg_proc ON pg_proc.oid = tgfoid
		WHERE NOT tgisinternal AND tgenabled IN ('A', 'R') AND pronamespace IS DISTINCT FROM to_regnamespace('deployment')
			AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'deployment')
		ORDER BY nspname COLLATE "C", relname COLLATE "C", tgname COLLATE "C"`,
	);
	return rows.map(({ trigger, ...table }) =>
		warning(
			`trigger ${trigger} of table ${shownName(table)} fires for replicated changes as well, so on both colours`,
			"make sure that it may act a second time on what it has done on the other colour",
		),
	);
}

async function unvalidatedConstraints(client: ClientBase): Promise<Finding[]> {
	const { rows } = await client.query<{ constraint: string; schema: string; name: string }>(
		`SELECT conname AS constraint, nspname AS schema, relname AS name
		FROM pg_constraint
		JOIN pg_class ON pg_class.oid = conrelid
		JOIN pg_namespace ON pg_namespace.oid = relnamespace
		WHERE contype IN ('c', 'n') AND NOT convalidated AND conenforced
			AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'deployment')
		ORDER BY nspname COLLATE "C", relname COLLATE "C", conname COLLATE "C"`,
	);
	return rows.map(({ constraint, ...table }) =>
		warning(
			`constraint ${constraint} of table ${shownName(table)} was never validated: an old row that violates it stops the copy`,
			`ALTER TABLE ${shownName(table)} VALIDATE CONSTRAINT first`,
		),
	);
}

async function preparedTransactions(client: ClientBase): Promise<Finding[]> {
	const { rows } = await client.query<{ gid: string }>("SELECT gid FROM pg_prepared_xacts ORDER BY prepared");
	return rows.map(({ gid }) =>
		warning(
			`the prepared transaction ${gid} is open on the live colour's server: a copy cannot begin before its end`,
			"COMMIT PREPARED or ROLLBACK PREPARED it",
		),
	);
}

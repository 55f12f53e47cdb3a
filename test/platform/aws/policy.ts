interface Statement {
	Action: string | string[];
	Resource: string | string[];
	Principal: Record<string, string | string[]>;
	Condition?: object;
}

/** What a policy allows, given as text or as it stands in a program. */
export function statementsOf(policy: unknown): Statement[] {
	const text = typeof policy === "string" ? policy : JSON.stringify(policy);
	return (JSON.parse(text) as { Statement: Statement[] }).Statement;
}

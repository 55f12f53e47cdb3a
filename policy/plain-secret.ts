/** In a name of upper-case words. */
const SECRET_NAME = new RegExp(
	[
		"PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|CREDS",
		"TOKEN(?!I[SZ])",
		"(API|ACCESS|PRIVATE|ENCRYPTION|SIGNING|SESSION|MASTER)_?KEY",
		// Words of their own, or behind the name of what they are for; a compass and a bypass are none.
		"(?<!BY|COM|TRES|SUR|OVER|UNDER)PASS(?![A-Z]|_?THROUGH)",
		"PWD(?![A-Z])",
	].join("|"),
);

/** What such a name is when its value is not the secret, but says where it is or how it is handled. */
const SPEAKS_OF_IT = new RegExp(
	[
		"FILE$",
		"_(PATH|DIR|ARN|NAME|ID|URL|COMMAND|STDIN)$",
		"_(TTL|SECONDS|EXPIRY|LENGTH|ENCRYPTION|ALGORITHM|AUTH_METHOD|POLICY|TYPE|ISSUER|GENERATION|VERSION)$",
		"^NO_",
		// A shell's folder.
		"^(OLD)?PWD$",
	].join("|"),
);

/** `scheme://user:password@host`, where the password is not a reference such as `${PASSWORD}`. */
const PASSWORD_IN_URL = /(?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/[^\s/?#:@]*:(?!\$\{?\w+\}?@)[^\s/?#@]+@/i;

/** A value that is there, and no reference such as `$PASSWORD` or `$(cat …)`. */
const PLAIN_VALUE = "[\"']?(?![\\s\"'$`&;|<>=)]|$)";

/** `name=value` of a shell, of an address' query or of a flag, and libpq's `name = value`. */
const ASSIGNMENT = new RegExp(`(?<![\\w.-])-{0,2}([\\w.-]+)(?:=|\\s+=\\s+)${PLAIN_VALUE}`, "g");

/** `--name value`, where the value is no flag itself. */
const FLAG = new RegExp(`(?<!\\S)--?([A-Za-z][\\w-]*)\\s+(?!-)${PLAIN_VALUE}`, "g");

/**
 * What is wrong with a container's environment or labels: secrets that anybody who may look at the container can read.
 *
 * @returns a sentence for each variable, without its value
 */
export function plainSecrets(
	environment: readonly { name: string; value?: string }[],
	mend: string,
): string[] {
	return environment.flatMap(({ name, value = "" }) => {
		if (value === "") {
			return [];
		}
		if (namesSecret(name)) {
			return [`${name} is a secret in plain text: ${mend}`];
		}
		return holdsPassword(value) ? [`${name} holds a password in plain text: ${mend}`] : [];
	});
}

/** Whether a text has a password within an address, a connection string or a command. */
export function holdsPassword(text: string): boolean {
	const named = [ASSIGNMENT, FLAG].flatMap((pattern) => [...text.matchAll(pattern)]);
	return PASSWORD_IN_URL.test(text) || named.some(([, name = ""]) => namesSecret(name));
}

/** Whether a command has a password in its arguments. */
export function commandHoldsPassword(command: readonly string[]): boolean {
	// An empty argument is a value too.
	return holdsPassword(command.map((argument) => argument || '""').join(" "));
}

function namesSecret(name: string): boolean {
	const words = name
		.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
		.replaceAll(/[.-]/g, "_")
		.toUpperCase();
	return SECRET_NAME.test(words) && !SPEAKS_OF_IT.test(words);
}

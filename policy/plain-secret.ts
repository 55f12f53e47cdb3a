const SECRET_NAME =
	/(PASSWORD|PASSWD|PASSPHRASE|PGPASS|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL)/i;

/** What such a name ends with when its value is not the secret, but says where it is or how it is handled. */
const SPEAKS_OF_IT = /(FILE|_PATH|_ARN|_NAME|_ID|_URL|_TTL|_SECONDS|_LENGTH|_ENCRYPTION|_AUTH_METHOD)$/i;

/** `scheme://user:password@host`, where the password is not a reference such as `${PASSWORD}`. */
const PASSWORD_IN_URL = /[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*:(?!\$\{?\w+\}?@)[^\s/?#@]+@/i;

/** libpq's `host=… password=…`, and the same as an address' query. */
const PASSWORD_IN_TEXT = /(^|[\s?&-])password\s*=\s*(?!\$)\S/i;

/**
 * What is wrong with a container's environment: secrets that anybody who may look at the container can read.
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
		if (SECRET_NAME.test(name) && !SPEAKS_OF_IT.test(name)) {
			return [`${name} is a secret in plain text: ${mend}`];
		}
		return holdsPassword(value) ? [`${name} holds a password in plain text: ${mend}`] : [];
	});
}

/** Whether a text has a password within an address or a connection string. */
export function holdsPassword(text: string): boolean {
	return PASSWORD_IN_URL.test(text) || PASSWORD_IN_TEXT.test(text);
}

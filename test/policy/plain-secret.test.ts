import assert from "node:assert/strict";
import { holdsPassword, plainSecrets } from "../../policy/plain-secret";

describe("the policy on secrets in plain text", () => {
	const isRefused = (name: string, value = "x") => plainSecrets([{ name, value }], "mend it").length === 1;

	it("knows a secret by the name of its variable, however that is written", () => {
		const secrets = [
			...["PGPASSWORD", "DB_PASS", "DBPASS", "PASS", "MYPWD", "MYSQL_PWD", "db.passphrase", "dbPasswordProd"],
			...["REDIS_REQUIREPASS", "API_TOKEN", "tokens", "SECRETKEY", "SIGNING_KEY", "API_KEY_2", "AWS_CREDS"],
		];
		assert.deepEqual(
			secrets.filter((name) => !isRefused(name)),
			[],
		);
	});

	it("takes none for a secret that only speaks of one, or of something else", () => {
		const others = [
			...["PGPASSFILE", "PGPASSWORD_FILE", "SECRETS_DIR", "TOKEN_URL", "TOKEN_TTL", "PASSWORD_GENERATION"],
			...["TOKENIZER", "COMPASS", "BYPASS_CACHE", "PASSIVE_MODE", "PWD", "OLDPWD", "KEY"],
		];
		assert.deepEqual(
			others.filter((name) => isRefused(name)),
			[],
		);
	});

	it("finds a password in a text: in an address, as an assignment, as a flag with its value", () => {
		const texts = [
			"postgres://counting:hunter2@db/counting",
			"host=db password=hunter2",
			"host=db password = 'hunter2'",
			"PGPASSWORD=hunter2 psql",
			"export POSTGRES_PASSWORD='hunter2'; exec app",
			"--password=hunter2",
			"psql --password hunter2",
			"redis-server --requirepass hunter2",
			"https://hooks.example/in?token=hunter2",
			"java -Ddb.password=hunter2",
			"jdbc:postgresql://counting:hunter2@db/counting",
		];
		assert.deepEqual(
			texts.filter((text) => !holdsPassword(text)),
			[],
		);
	});

	it("finds none where a text says where the password comes from, or has another one's name", () => {
		const texts = [
			"postgres://counting@db/counting",
			"postgres://counting:$PASSWORD@db/counting",
			"https://counting.example:8443/cameras@door",
			'PGPASSWORD="$(cat /run/secrets/database)" psql',
			"export PGPASSWORD=$PASSWORD",
			'redis-server --requirepass "$PASSWORD"',
			"psql --password --host db",
			"pg_dump --no-password counting",
			"vault --password-file /run/secrets/password",
			"postgres -c password_encryption=scram-sha-256",
			"PGPASSWORD= psql",
			"node -e if(token==null)throw(1)",
		];
		assert.deepEqual(
			texts.filter((text) => holdsPassword(text)),
			[],
		);
	});

	it("reads a long text in no time", function () {
		this.timeout(2_000);
		const long = 500_000;
		for (const text of ["0a".repeat(long), "a ".repeat(long), "-".repeat(long), "a://".repeat(long)]) {
			assert.equal(holdsPassword(text), false);
		}
	});
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientConfig } from "../../components/database/connection";
import { connectionText } from "../../components/replication/link";

const CONNECTION = {
	...{ host: "db.example", port: 5432, database: "counting", user: "app", password: "it's" },
	sslMode: "verify-full",
} as const;
const OPTIONS = { applicationName: "test" };
const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

describe("the encryption of a connection", () => {
	it("trusts the certificates of a file where one is named, and the system's otherwise", () => {
		const directory = mkdtempSync(join(tmpdir(), "certificates-"));
		try {
			const file = join(directory, "bundle.pem");
			writeFileSync(file, PEM);
			const { ssl, ...rest } = clientConfig({ ...CONNECTION, sslRootCert: file }, OPTIONS);
			assert.deepEqual(ssl, { rejectUnauthorized: true, ca: PEM });
			assert.ok(!("sslRootCert" in rest));
			assert.deepEqual(clientConfig(CONNECTION, OPTIONS).ssl, { rejectUnauthorized: true });
			writeFileSync(file, "no certificate");
			for (const wrong of [file, join(directory, "missing.pem")]) {
				assert.throws(() => clientConfig({ ...CONNECTION, sslRootCert: wrong }, OPTIONS), {
					message: `${wrong} has no certificates to check a server with: put the PEM bundle of its CA there`,
				});
			}
		} finally {
			rmSync(directory, { recursive: true, force: true });
		}
	});

	it("between two servers trusts what the connecting one has", () => {
		const common = "host='db.example' port='5432' dbname='counting' user='app' password='it\\'s'";
		const rest = "application_name='link' connect_timeout='10' keepalives_idle='10'";
		assert.equal(
			connectionText({ ...CONNECTION, sslRootCert: "here.pem" }, "link", "/there/ca.pem"),
			`${common} sslmode='verify-full' sslrootcert='/there/ca.pem' ${rest}`,
		);
		assert.equal(connectionText(CONNECTION, "link"), `${common} sslmode='verify-full' ${rest}`);
		assert.equal(
			connectionText({ ...CONNECTION, sslMode: "require" }, "link", "/there/ca.pem"),
			`${common} sslmode='require' ${rest}`,
		);
	});
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { isStoredPassword, schemeOf } from "#dataplane/password/format.ts";

function matches(password: string, stored: string): boolean {
  const steps = schemeOf(stored)?.(Buffer.from(password)) ?? assert.fail(`${stored} is of no known form`);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value === stored;
  }
}

// bcrypt: vectors of crypt_blowfish; the others: Apache's documentation, RFC 2307's form, the SHA-crypt specification.
for (const [password, stored] of [
  ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U*U*", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"],
  ["U*U*U", "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
  ["myPassword", "$apr1$r31adj7.$c.LK13RfSRoruEFqFTE9N0"],
  ["secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="],
  ["Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"],
  [
    "Hello world!",
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  ],
  ["clear", "{PLAIN}clear"],
] as const) {
  test(`${password} is the password of ${stored.slice(0, 12)}...`, () => {
    assert.equal(isStoredPassword(stored), true);
    assert.equal(matches(password, stored), true);
    assert.equal(matches(`${password}x`, stored), false);
    assert.equal(matches("", stored), false);
  });
}

test("what openssl makes is read, whatever the password's length", () => {
  for (const form of ["-apr1", "-1", "-5", "-6"]) {
    for (const password of ["a", "x".repeat(15), "y".repeat(16), "z".repeat(65), "é ü"]) {
      const stored = execFileSync("openssl", ["passwd", form, password], { encoding: "utf8" }).trim();
      assert.equal(matches(password, stored), true, `${form} ${password}`);
      assert.equal(matches(`${password}.`, stored), false, `${form} ${password}`);
    }
  }
});

for (const stored of [
  "",
  "rqXexS6ZhobKA",
  "plain",
  "$2y$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
  "$6$rounds=999999$salt$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  "$7$x$y",
  "{SHA}short",
]) {
  test(`${JSON.stringify(stored)} is no password that is checked`, () => assert.equal(isStoredPassword(stored), false));
}

"""The settings that say who signs, with what, and where it is recorded."""

from typing import Final

from config.setting import Kind, Setting, User

SIGNING: Final = (
    Setting(
        "SIGNER",
        Kind.TEXT,
        User.BOTH,
        "[who signs](signers.md): `embedded`, with keys of the store's own; `sigstore`, with "
        "an [instance of Sigstore](operate.md#signing-with-a-sigstore-instance); or `key`, "
        "with a managed key",
        "sigstore",
        "embedded",
    ),
    Setting(
        "ATTESTOR_KEY_FILE",
        Kind.PATH,
        User.WORKER,
        "file with 32 random bytes as base64, the key-encryption key of the keys that the "
        "store keeps itself: the embedded signer's, and its identity issuer's "
        "(`openssl rand -base64 32`)",
        "/etc/strongroom/attestor.key",
    ),
    Setting(
        "ATTESTOR_IS_ISOLATED",
        Kind.FLAG,
        User.BOTH,
        "`true` says that only the worker's account can read that file, or use the managed "
        "key; while it is `false` every level is capped at SLSA Build L1",
        "true",
        "false",
    ),
    Setting(
        "SIGSTORE_TRUSTED_ROOT",
        Kind.PATH,
        User.WORKER,
        "the instance's `trusted_root.json`; read again for each batch. The signer `sigstore` "
        "needs it, and so does `key` with timestamps",
        "/etc/strongroom/trusted_root.json",
    ),
    Setting(
        "SIGSTORE_SIGNING_CONFIG",
        Kind.PATH,
        User.WORKER,
        "the instance's `signing_config.json`, which names one Fulcio, a Rekor and, for Rekor v2, "
        "at least one timestamp authority; read again for each batch. The signer `sigstore` needs "
        "it",
        "/etc/strongroom/signing_config.json",
    ),
    Setting(
        "SIGSTORE_TUF_URL",
        Kind.URL,
        User.WORKER,
        "the address of a TUF repository that describes the instance, instead of its two files: "
        "[how](transparency.md#following-an-instance-by-tuf)",
        "https://tuf.example.com",
    ),
    Setting(
        "SIGSTORE_TUF_ROOT",
        Kind.PATH,
        User.WORKER,
        "with it: the file of the repository's first root, which you got in a way that you trust",
        "/etc/strongroom/tuf-root.json",
    ),
    Setting(
        "SIGSTORE_TUF_CACHE",
        Kind.PATH,
        User.WORKER,
        "with it: a folder of the worker's for what was fetched and verified",
        "/var/lib/strongroom-attestor/tuf",
    ),
    Setting(
        "PUBLIC_SIGSTORE_TRUSTED_ROOT",
        Kind.PATH,
        User.BOTH,
        "a second instance, which may write into public logs what owners of public projects want "
        "there ([what that means](transparency.md)): its `trusted_root.json`. The identity is the "
        "same as for the first",
        "/etc/strongroom/public/trusted_root.json",
    ),
    Setting(
        "PUBLIC_SIGSTORE_SIGNING_CONFIG",
        Kind.PATH,
        User.BOTH,
        "with it: its `signing_config.json`",
        "/etc/strongroom/public/signing_config.json",
    ),
    Setting(
        "PUBLIC_SIGSTORE_TUF_URL",
        Kind.URL,
        User.BOTH,
        "the TUF repository that describes it, instead of the two files",
        "https://tuf.sigstore.dev",
    ),
    Setting(
        "PUBLIC_SIGSTORE_TUF_ROOT",
        Kind.PATH,
        User.BOTH,
        "with it: the file of that repository's first root",
        "/etc/strongroom/public/tuf-root.json",
    ),
    Setting(
        "PUBLIC_SIGSTORE_TUF_CACHE",
        Kind.PATH,
        User.BOTH,
        "with it: a folder for what was fetched and verified; the web server needs one of its own",
        "/var/lib/strongroom/tuf",
    ),
    Setting(
        "SIGSTORE_IDENTITY_TOKEN_FILE",
        Kind.PATH,
        User.WORKER,
        "file with an identity token that something else keeps fresh. Without it, and without "
        "the next one, the store is its own issuer, which is what most want: a token is about "
        "one identity, and each builder has another",
        "/run/identity/token",
    ),
    Setting(
        "SIGSTORE_IDENTITY_TOKEN",
        Kind.TEXT,
        User.WORKER,
        "such a token itself, for one run of `test_signer`",
        "eyJ…",
    ),
    Setting(
        "SIGSTORE_ISSUER_IS_ISOLATED",
        Kind.FLAG,
        User.BOTH,
        "`true` says that the two documents of the store's issuer are served from where the "
        "web server cannot change them ([how](operate.md#the-stores-own-issuer)); while it is "
        "`false` every level is capped at SLSA Build L1",
        "true",
        "false",
    ),
    Setting(
        "SIGSTORE_THREADS",
        Kind.COUNT,
        User.WORKER,
        "how many statements one worker signs at once",
        "64",
        "32",
    ),
    Setting(
        "KEY_URI",
        Kind.URL,
        User.WORKER,
        "[the signer URI](signers.md#where-the-key-is) of the key that signs: `file:`, "
        "`awskms:`, `gcpkms:`, `azurekms:`, `vault:` or `hsm:`. The signer `key` needs it",
        "vault:transit/attestor/3",
    ),
    Setting(
        "KEY_SECRET_FILE",
        Kind.PATH,
        User.WORKER,
        "file with the key's passphrase, PIN or token, readable by its owner alone; read "
        "again for each batch",
        "/run/vault-agent/token",
    ),
    Setting(
        "KEY_TIMESTAMPS",
        Kind.LIST,
        User.BOTH,
        "with `key`: addresses of timestamp authorities (RFC 3161); all of them timestamp "
        "each signature",
        "https://tsa.example.com/api/v1/timestamp",
    ),
    Setting(
        "KEY_LOG",
        Kind.URL,
        User.BOTH,
        "with `key` and timestamps: the address of a Rekor v2 log; not the public one",
        "https://rekor.example.com",
    ),
    Setting(
        "CONFIRMATIONS",
        Kind.JSON,
        User.WORKER,
        "which issuers' platforms the worker asks about jobs: [confirmation.md](confirmation.md)",
        '{"gitlab": {}}',
    ),
    Setting(
        "CONFIRMATION_WAIT_SECONDS",
        Kind.SECONDS,
        User.WORKER,
        "how long a build waits for a platform that does not answer, before it is attested as "
        "unconfirmed",
        "600",
        "300",
    ),
)

"""Verify a bundle offline with sigstore-python, as a consumer's own program would.

Usage: python sigstore_python.py BUNDLE TRUSTED_ROOT IDENTITY ISSUER PREDICATE_TYPE ARTIFACT
"""

import hashlib
import json
import sys
from pathlib import Path

from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

bundle, root, identity, issuer, predicate_type, artifact = sys.argv[1:]
verifier = Verifier(trusted_root=TrustedRoot.from_file(root))
policy = Identity(identity=identity, issuer=issuer)
payload_type, payload = verifier.verify_dsse(Bundle.from_json(Path(bundle).read_bytes()), policy)

# What is signed is the consumer's to compare.
statement = json.loads(payload)
digest = hashlib.sha256(Path(artifact).read_bytes()).hexdigest()
if payload_type != "application/vnd.in-toto+json" or statement["predicateType"] != predicate_type:
    sys.exit(f"another type: {payload_type}, {statement['predicateType']}")
if digest not in [subject["digest"].get("sha256") for subject in statement["subject"]]:
    sys.exit("another artifact")
sys.stdout.write("Verified\n")

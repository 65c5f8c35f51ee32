// Verify a bundle of a managed key offline with sigstore-js, as a consumer's own program would.
// Usage: node verify-key.cjs BUNDLE TRUSTED_ROOT KEY.PEM WITNESSES PREDICATE_TYPE ARTIFACT
// WITNESSES is 1 where the key's bundles have a timestamp and a log entry, else 0.
const { createHash, createPublicKey } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { bundleFromJSON } = require('@sigstore/bundle')
const { TrustedRoot } = require('@sigstore/protobuf-specs')
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify')

const [bundleFile, rootFile, keyFile, witnesses, predicateType, artifact] = process.argv.slice(2)
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))

const bundle = bundleFromJSON(readJson(bundleFile))
// The bundle only names a key: whatever it says, this one key is believed.
const publicKey = createPublicKey(readFileSync(keyFile))
const key = () => ({ publicKey, validFor: () => true })
const material = toTrustMaterial(TrustedRoot.fromJSON(readJson(rootFile)), key)
const threshold = Number(witnesses)
const verifier = new Verifier(material, { tlogThreshold: threshold, timestampThreshold: threshold })
verifier.verify(toSignedEntity(bundle))

// What is signed is the consumer's to compare.
const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString('utf8'))
const digest = createHash('sha256').update(readFileSync(artifact)).digest('hex')
if (statement.predicateType !== predicateType) throw new Error(`another type: ${statement.predicateType}`)
if (!statement.subject.some((subject) => subject.digest.sha256 === digest)) throw new Error('another artifact')
console.log('Verified')

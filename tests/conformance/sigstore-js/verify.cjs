// Verify a bundle offline with sigstore-js, as a consumer's own program would.
// Usage: node verify.cjs BUNDLE TRUSTED_ROOT IDENTITY ISSUER PREDICATE_TYPE ARTIFACT
const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { bundleFromJSON } = require('@sigstore/bundle')
const { TrustedRoot } = require('@sigstore/protobuf-specs')
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify')

const [bundleFile, rootFile, identity, issuer, predicateType, artifact] = process.argv.slice(2)
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))

const bundle = bundleFromJSON(readJson(bundleFile))
const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(readJson(rootFile))))
// The identity is a regular expression to sigstore-js: unless it is quoted and anchored,
// another identity that only contains it passes.
const quoted = identity.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const policy = { subjectAlternativeName: `^${quoted}$`, extensions: { issuer } }
verifier.verify(toSignedEntity(bundle), policy)

// What is signed is the consumer's to compare.
const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString('utf8'))
const digest = createHash('sha256').update(readFileSync(artifact)).digest('hex')
if (statement.predicateType !== predicateType) throw new Error(`another type: ${statement.predicateType}`)
if (!statement.subject.some((subject) => subject.digest.sha256 === digest)) throw new Error('another artifact')
console.log('Verified')


-- What tests.bench.retention asks beside: every third artifact was downloaded, an hour after it came.
INSERT INTO download (id, at, project_id, build_id, artifact_id, path, member, sha256, actor,
    address, way, byte_range, verdict, reason, decision, request_id)
SELECT gen_random_uuid(), artifact.stored_at + interval '1 hour', artifact.project_id,
    artifact.build_id, artifact.id, path, '', blob.sha256, 'api:deploy', '10.1.2.3'::inet,
    'streamed', '', 'allowed', '', '', ''
FROM artifact JOIN blob ON blob.id = blob_id WHERE hashtext(artifact.id::text) %% 3 = 0;

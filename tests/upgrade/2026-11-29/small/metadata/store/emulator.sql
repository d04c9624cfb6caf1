BEGIN TRANSACTION;
CREATE TABLE checkpoints (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job INTEGER NOT NULL REFERENCES jobs (seq),
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        step INTEGER NOT NULL,
        metrics TEXT NOT NULL DEFAULT '{}'
    );
INSERT INTO "checkpoints" VALUES(1,'ftckpt_2aaJ2OEvaaMrWtcfRR7i8PF9',1,1.79595360380000019073e+09,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::2mguaWT0:ckpt-step-10',10,'{"step": 10, "train_loss": 0.00705, "train_mean_token_accuracy": 1.0}');
CREATE TABLE chunks (
        file INTEGER NOT NULL REFERENCES files (seq),
        place INTEGER NOT NULL,
        part INTEGER NOT NULL REFERENCES parts (seq),
        PRIMARY KEY (file, place)
    ) WITHOUT ROWID
    ;
CREATE TABLE completions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        messages TEXT NOT NULL,
        metadata TEXT NOT NULL,
        shown TEXT NOT NULL
    );
CREATE TABLE contents (
        file INTEGER PRIMARY KEY REFERENCES files (seq),
        content BLOB NOT NULL
    );
INSERT INTO "contents" VALUES(1,X'7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20303F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20313F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20323F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20333F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20343F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20353F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20363F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20373F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20383F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20225175657374696F6E20393F227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A2022796573227D5D7D0A');
INSERT INTO "contents" VALUES(2,X'737465702C747261696E5F6C6F73732C747261696E5F61636375726163792C76616C69645F6C6F73732C76616C69645F6D65616E5F746F6B656E5F61636375726163790A312C392E39303730312C302E30303030302C2C0A322C312E36313339382C302E35303030302C2C0A332C302E32363539392C312E30303030302C2C0A342C302E30303537302C312E30303030302C2C0A352C302E30303637342C312E30303030302C2C0A362C302E30313437372C312E30303030302C2C0A372C302E30333736352C312E30303030302C2C0A382C302E30313236312C312E30303030302C2C0A392C302E30303731362C312E30303030302C2C0A31302C302E30303730352C312E30303030302C2C0A');
CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job INTEGER NOT NULL REFERENCES jobs (seq),
        created_at REAL NOT NULL,
        level TEXT NOT NULL,
        type TEXT NOT NULL,
        message TEXT NOT NULL,
        data TEXT NOT NULL
    );
INSERT INTO "events" VALUES(1,'ftevent-gurI1MAa4NEFE54xnL4xMjZp',1,1795953600.0,'info','message','Created fine-tuning job: ftjob-NLBB4hBoOIKA6XY7o9h6FEVh','{}');
INSERT INTO "events" VALUES(2,'ftevent-tt6UugDC4fiAkPV15FqPcybn',1,1795953600.0,'info','message','Validating training file: file-KFp8ThHOhCKoDxP4BGKvMTmI','{}');
INSERT INTO "events" VALUES(3,'ftevent-BhTM6aqNaz5fipFfmxd8Q2MQ',1,1795953600.4,'info','message','Files validated, moving job to queued state','{}');
INSERT INTO "events" VALUES(4,'ftevent-MDBF6ZR05Q9FemLZiHEfK8WN',1,1.7959536008000001907e+09,'info','message','Fine-tuning job started','{}');
INSERT INTO "events" VALUES(5,'ftevent-KJa4liXvV32rct8GrMZUs3sB',1,1.7959536011000001431e+09,'info','metrics','Step 1/10: training loss=9.91','{"step": 1, "total_steps": 10, "train_loss": 9.90701, "train_mean_token_accuracy": 0.0}');
INSERT INTO "events" VALUES(6,'ftevent-YHnC0kEBvxexqGJEcMkl2v5t',1,1795953601.4,'info','metrics','Step 2/10: training loss=1.61','{"step": 2, "total_steps": 10, "train_loss": 1.61398, "train_mean_token_accuracy": 0.5}');
INSERT INTO "events" VALUES(7,'ftevent-BZU7E9N9gxSMeTKRj13cEG4K',1,1.79595360170000028611e+09,'info','metrics','Step 3/10: training loss=0.27','{"step": 3, "total_steps": 10, "train_loss": 0.26599, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(8,'ftevent-LXvv3vNxFk9DL6brm5huzgqd',1,1.79595360200000023838e+09,'info','metrics','Step 4/10: training loss=0.01','{"step": 4, "total_steps": 10, "train_loss": 0.0057, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(9,'ftevent-3J5n4b35Aiy4yPO4xcKRnMwV',1,1.79595360230000019078e+09,'info','metrics','Step 5/10: training loss=0.01','{"step": 5, "total_steps": 10, "train_loss": 0.00674, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(10,'ftevent-2aaJ2OEvaaMrWtcfRR7i8PF9',1,1.79595360260000014305e+09,'info','metrics','Step 6/10: training loss=0.01','{"step": 6, "total_steps": 10, "train_loss": 0.01477, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(11,'ftevent-qIUUMkk0huknlnhnRgfitrLr',1,1795953602.9,'info','metrics','Step 7/10: training loss=0.04','{"step": 7, "total_steps": 10, "train_loss": 0.03765, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(12,'ftevent-ycE8YCaLWCufVdNPdiaRh6Uq',1,1.79595360320000028606e+09,'info','metrics','Step 8/10: training loss=0.01','{"step": 8, "total_steps": 10, "train_loss": 0.01261, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(13,'ftevent-1KWbI6jntXcBMI4JAX7COF5j',1,1.79595360350000023846e+09,'info','metrics','Step 9/10: training loss=0.01','{"step": 9, "total_steps": 10, "train_loss": 0.00716, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(14,'ftevent-NDm6R1LTZ9Ow3vLSk42hgfXh',1,1.79595360380000019073e+09,'info','metrics','Step 10/10: training loss=0.01','{"step": 10, "total_steps": 10, "train_loss": 0.00705, "train_mean_token_accuracy": 1.0}');
INSERT INTO "events" VALUES(15,'ftevent-DzH2CFzniqd2XBD9ASz8cLIy',1,1.79595360380000019073e+09,'info','message','New fine-tuned model created: ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::2mguaWT0','{}');
INSERT INTO "events" VALUES(16,'ftevent-fatdU3Nv1IOqtPFkC9EAFoRU',1,1.79595360380000019073e+09,'info','message','The job has successfully completed','{}');
CREATE TABLE faults (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        rule TEXT NOT NULL,
        met INTEGER NOT NULL DEFAULT 0
    );
CREATE TABLE files (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        filename TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL,
        deleted INTEGER NOT NULL DEFAULT 0
    );
INSERT INTO "files" VALUES(1,'file-KFp8ThHOhCKoDxP4BGKvMTmI','ftctl.small.tone-training.02a1684bce0e9b0964f13552ff7d19cca09ad5fa9d2a85b1226d63649ba60e08.jsonl','fine-tune',1000,1795953600.0,NULL,0);
INSERT INTO "files" VALUES(2,'file-RA2f8HInbk9s7DBjAqXdcdAx','step_metrics.csv','fine-tune-results',269,1.79595360380000019073e+09,NULL,0);
CREATE TABLE job_metadata (
        job INTEGER NOT NULL REFERENCES jobs (seq),
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (key, value, job)
    ) WITHOUT ROWID
    ;
INSERT INTO "job_metadata" VALUES(1,'ftctl_digest','v1:4679c9456986537a6f8aba555765f2ae7ec6df784b465c3b3edac7f350228b80');
INSERT INTO "job_metadata" VALUES(1,'ftctl_finetune','tone');
INSERT INTO "job_metadata" VALUES(1,'ftctl_project','small');
INSERT INTO "job_metadata" VALUES(1,'ftctl_spec','{"base_model":"gpt-4.1-mini-2025-04-14","hyperparameters":{"n_epochs":1},"training":"02a1684bce0e…"}');
CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        base TEXT NOT NULL,
        method TEXT NOT NULL,
        training_file TEXT NOT NULL,
        validation_file TEXT,
        suffix TEXT,
        seed INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        integrations TEXT NOT NULL,
        status TEXT NOT NULL,
        due_at REAL,
        total_steps INTEGER NOT NULL DEFAULT 0,
        steps_per_epoch INTEGER NOT NULL DEFAULT 0,
        step INTEGER NOT NULL DEFAULT 0,
        step_seconds REAL NOT NULL DEFAULT 0,
        trained_seconds REAL NOT NULL DEFAULT 0,
        running_since REAL,
        finished_at REAL,
        fine_tuned_model TEXT,
        error TEXT NOT NULL,
        shown TEXT,
        start_weights INTEGER REFERENCES weights (seq),
        trained_tokens INTEGER,
        result_files TEXT NOT NULL DEFAULT '[]',
        fault TEXT NOT NULL DEFAULT 'null',
        reads INTEGER NOT NULL DEFAULT 0
    );
INSERT INTO "jobs" VALUES(1,'ftjob-NLBB4hBoOIKA6XY7o9h6FEVh',1795953600.0,'gpt-4.1-mini-2025-04-14','gpt-4.1-mini-2025-04-14','{"type": "supervised", "supervised": {"hyperparameters": {"batch_size": 1, "learning_rate_multiplier": 1.0, "n_epochs": 1}}}','file-KFp8ThHOhCKoDxP4BGKvMTmI',NULL,NULL,1887965960,'{"ftctl_project": "small", "ftctl_finetune": "tone", "ftctl_digest": "v1:4679c9456986537a6f8aba555765f2ae7ec6df784b465c3b3edac7f350228b80", "ftctl_spec": "{\"base_model\":\"gpt-4.1-mini-2025-04-14\",\"hyperparameters\":{\"n_epochs\":1},\"training\":\"02a1684bce0e\u2026\"}"}','null','succeeded',NULL,10,10,10,0.3,0.0,NULL,1.79595360380000019073e+09,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::2mguaWT0','null','{"object":"fine_tuning.job","id":"ftjob-NLBB4hBoOIKA6XY7o9h6FEVh","model":"gpt-4.1-mini-2025-04-14","created_at":1795953600,"finished_at":1795953603,"fine_tuned_model":"ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::2mguaWT0","result_files":["file-RA2f8HInbk9s7DBjAqXdcdAx"],"status":"succeeded","validation_file":null,"training_file":"file-KFp8ThHOhCKoDxP4BGKvMTmI","hyperparameters":{"batch_size":1,"learning_rate_multiplier":1.0,"n_epochs":1},"trained_tokens":130,"error":null,"user_provided_suffix":null,"seed":1887965960,"estimated_finish":null,"integrations":null,"metadata":{"ftctl_project":"small","ftctl_finetune":"tone","ftctl_digest":"v1:4679c9456986537a6f8aba555765f2ae7ec6df784b465c3b3edac7f350228b80","ftctl_spec":"{\"base_model\":\"gpt-4.1-mini-2025-04-14\",\"hyperparameters\":{\"n_epochs\":1},\"training\":\"02a1684bce0e\u2026\"}"},"method":{"type":"supervised","supervised":{"hyperparameters":{"batch_size":1,"learning_rate_multiplier":1.0,"n_epochs":1}}}}',NULL,130,'["file-RA2f8HInbk9s7DBjAqXdcdAx"]','null',0);
CREATE TABLE models (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        base TEXT NOT NULL,
        job TEXT NOT NULL,
        created_at REAL NOT NULL,
        weights INTEGER REFERENCES weights (seq)
    );
INSERT INTO "models" VALUES(1,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::2mguaWT0:ckpt-step-10','gpt-4.1-mini-2025-04-14','ftjob-NLBB4hBoOIKA6XY7o9h6FEVh',1.79595360380000019073e+09,1);
INSERT INTO "models" VALUES(2,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::2mguaWT0','gpt-4.1-mini-2025-04-14','ftjob-NLBB4hBoOIKA6XY7o9h6FEVh',1.79595360380000019073e+09,1);
CREATE TABLE pace (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        kind TEXT NOT NULL,
        speed REAL NOT NULL,
        reads INTEGER NOT NULL,
        now REAL
    );
CREATE TABLE parts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        upload INTEGER NOT NULL REFERENCES uploads (seq),
        created_at REAL NOT NULL,
        bytes INTEGER NOT NULL,
        content BLOB
    );
CREATE TABLE permissions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        model TEXT NOT NULL,
        project TEXT NOT NULL,
        created_at REAL NOT NULL,
        deleted INTEGER NOT NULL DEFAULT 0
    );
CREATE TABLE steps (
        job INTEGER NOT NULL REFERENCES jobs (seq),
        step INTEGER NOT NULL,
        metrics TEXT NOT NULL,
        PRIMARY KEY (job, step)
    ) WITHOUT ROWID
    ;
INSERT INTO "steps" VALUES(1,1,'{"train_loss": 9.90701, "train_mean_token_accuracy": 0.0}');
INSERT INTO "steps" VALUES(1,2,'{"train_loss": 1.61398, "train_mean_token_accuracy": 0.5}');
INSERT INTO "steps" VALUES(1,3,'{"train_loss": 0.26599, "train_mean_token_accuracy": 1.0}');
INSERT INTO "steps" VALUES(1,4,'{"train_loss": 0.0057, "train_mean_token_accuracy": 1.0}');
INSERT INTO "steps" VALUES(1,5,'{"train_loss": 0.00674, "train_mean_token_accuracy": 1.0}');
INSERT INTO "steps" VALUES(1,6,'{"train_loss": 0.01477, "train_mean_token_accuracy": 1.0}');
INSERT INTO "steps" VALUES(1,7,'{"train_loss": 0.03765, "train_mean_token_accuracy": 1.0}');
INSERT INTO "steps" VALUES(1,8,'{"train_loss": 0.01261, "train_mean_token_accuracy": 1.0}');
INSERT INTO "steps" VALUES(1,9,'{"train_loss": 0.00716, "train_mean_token_accuracy": 1.0}');
INSERT INTO "steps" VALUES(1,10,'{"train_loss": 0.00705, "train_mean_token_accuracy": 1.0}');
CREATE TABLE trainings (
        job INTEGER PRIMARY KEY REFERENCES jobs (seq),
        step INTEGER NOT NULL,
        content BLOB NOT NULL
    );
CREATE TABLE uploads (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        filename TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        mime_type TEXT NOT NULL,
        life_seconds INTEGER,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        status TEXT NOT NULL,
        file TEXT
    );
CREATE TABLE weights (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        sha256 TEXT NOT NULL UNIQUE,
        content BLOB NOT NULL
    );
INSERT INTO "weights" VALUES(1,'f5d82cecabb84f78db23ca7f50e5cd3826ee25a1408b6b8b6e924e04b2d27fbd',X'');
CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX job_metadata_job ON job_metadata (job);
CREATE INDEX events_job ON events (job);
CREATE INDEX checkpoints_job ON checkpoints (job);
CREATE INDEX parts_upload ON parts (upload);
CREATE UNIQUE INDEX permissions_present ON permissions (model, project) WHERE deleted = 0;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('files',2);
INSERT INTO "sqlite_sequence" VALUES('jobs',1);
INSERT INTO "sqlite_sequence" VALUES('events',16);
INSERT INTO "sqlite_sequence" VALUES('checkpoints',1);
INSERT INTO "sqlite_sequence" VALUES('weights',1);
INSERT INTO "sqlite_sequence" VALUES('models',2);
COMMIT;
PRAGMA application_id = 1179927345;
PRAGMA user_version = 3;

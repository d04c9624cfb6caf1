-- The embedded API's database as version 2 of its tables had it: one job done, one training.
BEGIN TRANSACTION;
CREATE TABLE checkpoints (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job INTEGER NOT NULL REFERENCES jobs (seq),
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        step INTEGER NOT NULL
    );
INSERT INTO "checkpoints" VALUES(6,'ftckpt_jDyKeM03UTcnJsjZhew1iqpJ',1,1800000009.75,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8:ckpt-step-72',72);
INSERT INTO "checkpoints" VALUES(7,'ftckpt_K65gj2uY9QG16aLb379MZIGP',1,1800000011.0,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8:ckpt-step-84',84);
INSERT INTO "checkpoints" VALUES(8,'ftckpt_L9kqkpGbC0h8GUHOu9XvqVZ9',1,1800000012.25,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8:ckpt-step-96',96);
INSERT INTO "checkpoints" VALUES(9,'ftckpt_KKxdVthMs2QL7816RIvX3Ard',2,1800000023.5,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::NDOlpIaj:ckpt-step-12',12);
CREATE TABLE contents (
        file INTEGER PRIMARY KEY REFERENCES files (seq),
        content BLOB NOT NULL
    );
INSERT INTO "contents" VALUES(1,X'7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A7B226D65737361676573223A205B7B22726F6C65223A202275736572222C2022636F6E74656E74223A20224869227D2C207B22726F6C65223A2022617373697374616E74222C2022636F6E74656E74223A202248656C6C6F227D5D7D0A');
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
INSERT INTO "events" VALUES(1,'ftevent-jPPpfWUPZmLNsGz4QvRE3rKK',1,1800000000.25,'info','message','Created fine-tuning job: ftjob-sJX01FuLNjP10JBxeUth9sF9','{}');
INSERT INTO "events" VALUES(2,'ftevent-sZsO4n2f1AP5Dez8FaH0QMkb',1,1800000000.25,'info','message','Validating training file: file-oNKh6cS2fCptXQPoFz5xsuUZ','{}');
INSERT INTO "events" VALUES(3,'ftevent-kDwt0tPun97WqvnwhUuYDd4s',1,1800000001.25,'info','message','Files validated, moving job to queued state','{}');
INSERT INTO "events" VALUES(4,'ftevent-3LswXxgk9Btb4NRekaqEnfUX',1,1800000002.25,'info','message','Fine-tuning job started','{}');
INSERT INTO "events" VALUES(5,'ftevent-TtPtvL29NB9pLbaAhBXizKt1',1,1.8000000024583332538e+09,'info','metrics','Step 2/96','{"step": 2, "total_steps": 96}');
INSERT INTO "events" VALUES(6,'ftevent-RopiwoMabU2II8i7kJg0TKfd',1,1.8000000026666667461e+09,'info','metrics','Step 4/96','{"step": 4, "total_steps": 96}');
INSERT INTO "events" VALUES(7,'ftevent-gxkePFz8Bev6cRACC0FGaLU3',1,1800000002.875,'info','metrics','Step 6/96','{"step": 6, "total_steps": 96}');
INSERT INTO "events" VALUES(8,'ftevent-wvcxY9kFNgvS0lrsiMM5dlOq',1,1.80000000308333325382e+09,'info','metrics','Step 8/96','{"step": 8, "total_steps": 96}');
INSERT INTO "events" VALUES(9,'ftevent-KF1E6htKpx1olfemKIisjGAC',1,1.80000000329166674611e+09,'info','metrics','Step 10/96','{"step": 10, "total_steps": 96}');
INSERT INTO "events" VALUES(10,'ftevent-d85hSbraygMjNliuItvPv33K',1,1800000003.5,'info','metrics','Step 12/96','{"step": 12, "total_steps": 96}');
INSERT INTO "events" VALUES(11,'ftevent-DePwK0CTT2Cf4BWbKAc1DGaw',1,1.80000000370833325383e+09,'info','metrics','Step 14/96','{"step": 14, "total_steps": 96}');
INSERT INTO "events" VALUES(12,'ftevent-M6A2mUchm9YysB2FkZFs4WUE',1,1.80000000391666674613e+09,'info','metrics','Step 16/96','{"step": 16, "total_steps": 96}');
INSERT INTO "events" VALUES(13,'ftevent-EBKrGCl0fhMh5QXMH3u7gfKi',1,1800000004.125,'info','metrics','Step 18/96','{"step": 18, "total_steps": 96}');
INSERT INTO "events" VALUES(14,'ftevent-80eBGWxQBXJocehoHAaXdmfc',1,1.80000000433333325385e+09,'info','metrics','Step 20/96','{"step": 20, "total_steps": 96}');
INSERT INTO "events" VALUES(15,'ftevent-vlkNZWkKlxTWLYHjbV9PAez7',1,1.80000000454166674606e+09,'info','metrics','Step 22/96','{"step": 22, "total_steps": 96}');
INSERT INTO "events" VALUES(16,'ftevent-cDpEsrea0tHbWznkVHmNlnZG',1,1800000004.75,'info','metrics','Step 24/96','{"step": 24, "total_steps": 96}');
INSERT INTO "events" VALUES(17,'ftevent-IbdswcqFzGCHxDJxxXm9Feaj',1,1.80000000495833325378e+09,'info','metrics','Step 26/96','{"step": 26, "total_steps": 96}');
INSERT INTO "events" VALUES(18,'ftevent-KB2GytXUxldRw6tSxg1udgr2',1,1.80000000516666674608e+09,'info','metrics','Step 28/96','{"step": 28, "total_steps": 96}');
INSERT INTO "events" VALUES(19,'ftevent-2BK4yAoNbESlgOXy7wStkuYR',1,1800000005.375,'info','metrics','Step 30/96','{"step": 30, "total_steps": 96}');
INSERT INTO "events" VALUES(20,'ftevent-ZBve8xO0Ug5Zc6Qwbv17MEVf',1,1.8000000055833332538e+09,'info','metrics','Step 32/96','{"step": 32, "total_steps": 96}');
INSERT INTO "events" VALUES(21,'ftevent-WT4h5ruJcOGW7rVfnqEceER7',1,1.80000000579166674619e+09,'info','metrics','Step 34/96','{"step": 34, "total_steps": 96}');
INSERT INTO "events" VALUES(22,'ftevent-BCsdIqVGc9KIR3ijJXtuvwla',1,1800000006.0,'info','metrics','Step 36/96','{"step": 36, "total_steps": 96}');
INSERT INTO "events" VALUES(23,'ftevent-oWCuRvy4NAbMDXpz8vBenMX4',1,1.80000000620833325391e+09,'info','metrics','Step 38/96','{"step": 38, "total_steps": 96}');
INSERT INTO "events" VALUES(24,'ftevent-YcDGY1koP1j9JCDrCMl99DaI',1,1.8000000064166667462e+09,'info','metrics','Step 40/96','{"step": 40, "total_steps": 96}');
INSERT INTO "events" VALUES(25,'ftevent-MTo293T6HhGx7CiDZKcAJqTa',1,1800000006.625,'info','metrics','Step 42/96','{"step": 42, "total_steps": 96}');
INSERT INTO "events" VALUES(26,'ftevent-D1BNcIA5RiErR4rR45Ankn5w',1,1.80000000683333325392e+09,'info','metrics','Step 44/96','{"step": 44, "total_steps": 96}');
INSERT INTO "events" VALUES(27,'ftevent-azLYtBo0gyJhPcB10FIGHCyY',1,1.80000000704166674622e+09,'info','metrics','Step 46/96','{"step": 46, "total_steps": 96}');
INSERT INTO "events" VALUES(28,'ftevent-aOy31g7kbytZqURgrnOvgw5Y',1,1800000007.25,'info','metrics','Step 48/96','{"step": 48, "total_steps": 96}');
INSERT INTO "events" VALUES(29,'ftevent-nFUbi0tjYR2hBWJQCei0BPuz',1,1.80000000745833325394e+09,'info','metrics','Step 50/96','{"step": 50, "total_steps": 96}');
INSERT INTO "events" VALUES(30,'ftevent-c9JBM425ssELSl7ebKYsxOC7',1,1.80000000766666674615e+09,'info','metrics','Step 52/96','{"step": 52, "total_steps": 96}');
INSERT INTO "events" VALUES(31,'ftevent-AKGeHGsvgATyWydbHf4tekFT',1,1800000007.875,'info','metrics','Step 54/96','{"step": 54, "total_steps": 96}');
INSERT INTO "events" VALUES(32,'ftevent-exV15EkjRieiw4wY4VVQciUx',1,1.80000000808333325387e+09,'info','metrics','Step 56/96','{"step": 56, "total_steps": 96}');
INSERT INTO "events" VALUES(33,'ftevent-UTgwrSN6wuqyvghjcyhLeJRz',1,1.80000000829166674617e+09,'info','metrics','Step 58/96','{"step": 58, "total_steps": 96}');
INSERT INTO "events" VALUES(34,'ftevent-xzb7FUZZegB0VrLSdUxxqGd2',1,1800000008.5,'info','metrics','Step 60/96','{"step": 60, "total_steps": 96}');
INSERT INTO "events" VALUES(35,'ftevent-1LZkyTIbzlc23JIzmomdeCuB',1,1.80000000870833325389e+09,'info','metrics','Step 62/96','{"step": 62, "total_steps": 96}');
INSERT INTO "events" VALUES(36,'ftevent-Z9B2mwccDiYNMsjADOIRVoSK',1,1.80000000891666674619e+09,'info','metrics','Step 64/96','{"step": 64, "total_steps": 96}');
INSERT INTO "events" VALUES(37,'ftevent-rkdafFEZRaDwsysJ2qbDTdSZ',1,1800000009.125,'info','metrics','Step 66/96','{"step": 66, "total_steps": 96}');
INSERT INTO "events" VALUES(38,'ftevent-rzFp4Qi9QqVY7s2UrNQhLfBU',1,1.80000000933333325391e+09,'info','metrics','Step 68/96','{"step": 68, "total_steps": 96}');
INSERT INTO "events" VALUES(39,'ftevent-rovH9tq3ekSfzYDDDT3fCnkU',1,1.80000000954166674612e+09,'info','metrics','Step 70/96','{"step": 70, "total_steps": 96}');
INSERT INTO "events" VALUES(40,'ftevent-tSBAUIq0ejONGp1EAOYVp3r8',1,1800000009.75,'info','metrics','Step 72/96','{"step": 72, "total_steps": 96}');
INSERT INTO "events" VALUES(41,'ftevent-BsYoaYHzjpSSTFWTGXXIiOoY',1,1.80000000995833325384e+09,'info','metrics','Step 74/96','{"step": 74, "total_steps": 96}');
INSERT INTO "events" VALUES(42,'ftevent-NYjOIvFvwTGa2FYddedbS7qG',1,1.80000001016666674614e+09,'info','metrics','Step 76/96','{"step": 76, "total_steps": 96}');
INSERT INTO "events" VALUES(43,'ftevent-vnx2bayEUMrRuoo6yofWw2NO',1,1800000010.375,'info','metrics','Step 78/96','{"step": 78, "total_steps": 96}');
INSERT INTO "events" VALUES(44,'ftevent-4aMSIMLxkre4rvQBRB6MGTRh',1,1.80000001058333325386e+09,'info','metrics','Step 80/96','{"step": 80, "total_steps": 96}');
INSERT INTO "events" VALUES(45,'ftevent-AnpVACEJsaRh8UxCWAyIyE7c',1,1.80000001079166674616e+09,'info','metrics','Step 82/96','{"step": 82, "total_steps": 96}');
INSERT INTO "events" VALUES(46,'ftevent-6WqADbzL3DIVsYdDmsWCnVaS',1,1800000011.0,'info','metrics','Step 84/96','{"step": 84, "total_steps": 96}');
INSERT INTO "events" VALUES(47,'ftevent-16tHYcmPFW0d872i5bWQn1Nk',1,1.80000001120833325388e+09,'info','metrics','Step 86/96','{"step": 86, "total_steps": 96}');
INSERT INTO "events" VALUES(48,'ftevent-KWmoI4MKCM0eQufzUSo4Ri8K',1,1.80000001141666674617e+09,'info','metrics','Step 88/96','{"step": 88, "total_steps": 96}');
INSERT INTO "events" VALUES(49,'ftevent-8o8nqa2k8UrxQlaEWncTJwbW',1,1800000011.625,'info','metrics','Step 90/96','{"step": 90, "total_steps": 96}');
INSERT INTO "events" VALUES(50,'ftevent-48tqBZo259jgtjfGPJpeofNf',1,1.80000001183333325389e+09,'info','metrics','Step 92/96','{"step": 92, "total_steps": 96}');
INSERT INTO "events" VALUES(51,'ftevent-e7lvR3W4NeEq7Gg73jlo1T9h',1,1.80000001204166674619e+09,'info','metrics','Step 94/96','{"step": 94, "total_steps": 96}');
INSERT INTO "events" VALUES(52,'ftevent-h4cIzcmxH3aTYGI5GjEmCGVV',1,1800000012.25,'info','metrics','Step 96/96','{"step": 96, "total_steps": 96}');
INSERT INTO "events" VALUES(53,'ftevent-89Isr6yxuDrMhw2ENLOe8bMY',1,1800000012.25,'info','message','New fine-tuned model created: ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8','{}');
INSERT INTO "events" VALUES(54,'ftevent-TGjeKhhkbAVWBcmc06Cpk6cy',1,1800000012.25,'info','message','The job has successfully completed','{}');
INSERT INTO "events" VALUES(55,'ftevent-GWqeIG7Ltepn3Ej8kfETLwFO',2,1800000020.25,'info','message','Created fine-tuning job: ftjob-dJr8mQbpWAjZLTTYGIngQRjH','{}');
INSERT INTO "events" VALUES(56,'ftevent-jMdhPMlMhsM3Woi2E9djsAIk',2,1800000020.25,'info','message','Validating training file: file-oNKh6cS2fCptXQPoFz5xsuUZ','{}');
INSERT INTO "events" VALUES(57,'ftevent-qsJz14MYaLNydWOrwBlbfeC9',2,1800000021.25,'info','message','Files validated, moving job to queued state','{}');
INSERT INTO "events" VALUES(58,'ftevent-WN6sHuMuqUK2MwY8TrftfYL3',2,1800000022.25,'info','message','Fine-tuning job started','{}');
INSERT INTO "events" VALUES(59,'ftevent-YqiFlVtnSNZxzNTIA8V9GnYA',2,1.80000002245833325385e+09,'info','metrics','Step 2/96','{"step": 2, "total_steps": 96}');
INSERT INTO "events" VALUES(60,'ftevent-lR80nfq3RagDWMZ8tavBVSZg',2,1.80000002266666674606e+09,'info','metrics','Step 4/96','{"step": 4, "total_steps": 96}');
INSERT INTO "events" VALUES(61,'ftevent-D45PEfq8EUlx0O09NZqYbLTY',2,1800000022.875,'info','metrics','Step 6/96','{"step": 6, "total_steps": 96}');
INSERT INTO "events" VALUES(62,'ftevent-0xbkrNa0MXyRRUqa30WdQvck',2,1.80000002308333325378e+09,'info','metrics','Step 8/96','{"step": 8, "total_steps": 96}');
INSERT INTO "events" VALUES(63,'ftevent-JTfFXTtKd53autmrYcOe0FBI',2,1.80000002329166674608e+09,'info','metrics','Step 10/96','{"step": 10, "total_steps": 96}');
INSERT INTO "events" VALUES(64,'ftevent-WB9RVRwp8EKnUkrlvhM4zfOF',2,1800000023.5,'info','metrics','Step 12/96','{"step": 12, "total_steps": 96}');
INSERT INTO "events" VALUES(65,'ftevent-e48UUoQvHHq0DG884n4HUbqq',2,1.8000000237083332538e+09,'info','metrics','Step 14/96','{"step": 14, "total_steps": 96}');
INSERT INTO "events" VALUES(66,'ftevent-KKxdVthMs2QL7816RIvX3Ard',2,1.80000002391666674619e+09,'info','metrics','Step 16/96','{"step": 16, "total_steps": 96}');
INSERT INTO "events" VALUES(67,'ftevent-vS9H8r9JTr4ATOthRirskVL7',2,1800000024.125,'info','metrics','Step 18/96','{"step": 18, "total_steps": 96}');
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
INSERT INTO "files" VALUES(1,'file-oNKh6cS2fCptXQPoFz5xsuUZ','data.jsonl','fine-tune',1116,1800000000.25,NULL,0);
CREATE TABLE job_metadata (
        job INTEGER NOT NULL REFERENCES jobs (seq),
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (key, value, job)
    ) WITHOUT ROWID
    ;
INSERT INTO "job_metadata" VALUES(1,'team','a');
INSERT INTO "job_metadata" VALUES(2,'team','a');
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
        shown TEXT
    );
INSERT INTO "jobs" VALUES(1,'ftjob-sJX01FuLNjP10JBxeUth9sF9',1800000000.25,'gpt-4.1-mini-2025-04-14','gpt-4.1-mini-2025-04-14','{"type": "supervised", "supervised": {"hyperparameters": {"batch_size": 1, "learning_rate_multiplier": 1.0, "n_epochs": 8}}}','file-oNKh6cS2fCptXQPoFz5xsuUZ',NULL,'old',650326936,'{"team": "a"}','null','succeeded',NULL,96,12,96,1.04166666666666671292e-01,0.0,NULL,1800000012.25,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8','null','{"object":"fine_tuning.job","id":"ftjob-sJX01FuLNjP10JBxeUth9sF9","model":"gpt-4.1-mini-2025-04-14","created_at":1800000000,"finished_at":1800000012,"fine_tuned_model":"ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8","result_files":[],"status":"succeeded","validation_file":null,"training_file":"file-oNKh6cS2fCptXQPoFz5xsuUZ","hyperparameters":{"batch_size":1,"learning_rate_multiplier":1.0,"n_epochs":8},"trained_tokens":null,"error":null,"user_provided_suffix":"old","seed":650326936,"estimated_finish":null,"integrations":null,"metadata":{"team":"a"},"method":{"type":"supervised","supervised":{"hyperparameters":{"batch_size":1,"learning_rate_multiplier":1.0,"n_epochs":8}}}}');
INSERT INTO "jobs" VALUES(2,'ftjob-dJr8mQbpWAjZLTTYGIngQRjH',1800000020.25,'gpt-4.1-mini-2025-04-14','gpt-4.1-mini-2025-04-14','{"type": "supervised", "supervised": {"hyperparameters": {"batch_size": 1, "learning_rate_multiplier": 1.0, "n_epochs": 8}}}','file-oNKh6cS2fCptXQPoFz5xsuUZ',NULL,NULL,1295705915,'{"team": "a"}','null','running',1.80000002433333325391e+09,96,12,18,1.04166666666666671292e-01,0.0,1800000022.25,NULL,NULL,'null',NULL);
CREATE TABLE models (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        base TEXT NOT NULL,
        job TEXT NOT NULL,
        created_at REAL NOT NULL
    );
INSERT INTO "models" VALUES(6,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8:ckpt-step-72','gpt-4.1-mini-2025-04-14','ftjob-sJX01FuLNjP10JBxeUth9sF9',1800000009.75);
INSERT INTO "models" VALUES(7,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8:ckpt-step-84','gpt-4.1-mini-2025-04-14','ftjob-sJX01FuLNjP10JBxeUth9sF9',1800000011.0);
INSERT INTO "models" VALUES(8,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8:ckpt-step-96','gpt-4.1-mini-2025-04-14','ftjob-sJX01FuLNjP10JBxeUth9sF9',1800000012.25);
INSERT INTO "models" VALUES(9,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8','gpt-4.1-mini-2025-04-14','ftjob-sJX01FuLNjP10JBxeUth9sF9',1800000012.25);
INSERT INTO "models" VALUES(10,'ft:gpt-4.1-mini-2025-04-14:ftctl-emulator::NDOlpIaj:ckpt-step-12','gpt-4.1-mini-2025-04-14','ftjob-dJr8mQbpWAjZLTTYGIngQRjH',1800000023.5);
CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX job_metadata_job ON job_metadata (job);
CREATE INDEX events_job ON events (job);
CREATE INDEX checkpoints_job ON checkpoints (job);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('files',1);
INSERT INTO "sqlite_sequence" VALUES('jobs',2);
INSERT INTO "sqlite_sequence" VALUES('events',67);
INSERT INTO "sqlite_sequence" VALUES('checkpoints',9);
INSERT INTO "sqlite_sequence" VALUES('models',10);
COMMIT;

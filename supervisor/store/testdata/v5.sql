-- Rows as schema version 5 stored them: one fault that ended, one that is open; no watches, no presence.
INSERT INTO device (row, id, name, class, profile, removed_at) VALUES
  (1, 'rt-city-core', '市局核心路由器', 'router', 'huawei-vrp', NULL),
  (2, 'rt-old', '旧路由器', 'router', 'snmp-generic', 1795000000000);
INSERT INTO fault (id, year, sequence, device, rule, instance, severity, condition, stale, first_bad, confirmed, cleared,
                   ending, cause, summary_zh, summary_en, advice_zh, advice_en, changed_at) VALUES
  (1, 2026, 1, 2, 'unreachable', '', 'critical', 'cleared', 0, 1795000010000, 1795000020000, 1795000040000, 'cleared',
   'communicationsSubsystemFailure', '无响应', 'No answer', '检查供电', 'Check power', 1795000040000),
  (2, 2026, 2, 1, 'board-hot', 'MPU Board 0', 'major', 'active', 0, 1795000000000, 1795000030000, NULL, NULL,
   'temperatureUnacceptable', '板卡温度 68.5 ℃', 'Board at 68.5 °C', '检查风扇', 'Check fans', 1795000050000);
INSERT INTO transition (id, fault, at, change, severity_from, severity, condition, stale, first_bad, confirmed, cleared,
                        ending, summary_zh, summary_en) VALUES
  (1, 1, 1795000020000, 'raised', NULL, 'critical', 'active', 0, 1795000010000, 1795000020000, NULL, NULL, '无响应',
   'No answer'),
  (2, 2, 1795000030000, 'raised', NULL, 'minor', 'active', 0, 1795000000000, 1795000030000, NULL, NULL, '板卡温度 61 ℃',
   'Board at 61 °C'),
  (3, 1, 1795000040000, 'ended', NULL, 'critical', 'cleared', 0, 1795000010000, 1795000020000, 1795000040000, 'cleared',
   '无响应', 'No answer'),
  (4, 2, 1795000050000, 'severity', 'minor', 'major', 'active', 0, 1795000000000, 1795000030000, NULL, NULL,
   '板卡温度 68.5 ℃', 'Board at 68.5 °C');
INSERT INTO clock (boot, boottime_ms, wall, synchronised) VALUES ('b0', 5000, 1795000060000, 1);

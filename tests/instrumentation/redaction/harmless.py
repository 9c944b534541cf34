"""Texts without secrets, as operators need them: redaction must not change one character."""

HARMLESS = """
p95 is 900 ms at 10.0.12.7:5432, run 014a2be4305be4ff031235f08d576f0f
service/checkout scaled from 4 to 12 at 2026-11-21T00:16:33Z
gpt-4o-mini chatcmpl-0 call_0_0 4111-1111
error.type=langgraph.errors.GraphRecursionError
input_tokens: 1234567890123
1763683200123456789
pod checkout-7f9c6d5b8-x2x9q on node ip-10-0-1-2
max_tokens=4096 token_type=input
execute_tool scale_deployment
invoke_agent sre-bot
deployment.apps/checkout restarted
k8s.namespace.name=prod k8s.deployment.name=checkout
Error: connection to db:5432 refused after 3 retries
HTTP 503 Service Unavailable from https://api.example.com/v1/orders?page=2&limit=50
https://grafana.example.com/d/abc123/checkout?from=now-6h&to=now
https://github.com/org/repo/pull/1234/files
git@github.com:org/repo.git
ssh://git@github.com/org/repo.git
postgres://db.example.com:5432/orders
redis://cache:6379/0
react@18.2.0 and lodash@4.17.21
nginx@sha256:9b74c9897bac770ffc029102a200c5de7f1b2c3d4e5f60718293a4b5c6d7e8f9
registry.example.com/team/app:1.2.3
commit 3f786850e387550fdab836ed7e6dc881de23001b
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7
traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
550e8400-e29b-41d4-a716-446655440000
order #W7678072 for user mia_li_3668
reservation HAT170 from SFO to JFK on 2026-11-29
invoice 2026-000123 of 1,299.00 EUR
The primary key is id.
sort_key=asc partition_key=user_id
key: value
token count: 512
tokens used: 1532 of 128000
token=none
tokens=5
finish_reason=stop
the secret of a good page is brevity
a secret was rotated
password policy: at least 12 characters
password reset requested
the password is wrong
no password given
author: ada
authority=example.com
authorized 12 users
code=200
code: 404
exit code: 1
status code 500
error_code=ECONNREFUSED
pin: 3
pin the version
pass: 12, fail: 0
test_pass passed
signature mismatch
sid: 42
at 12:30:45.123456
1732912345.123456
1732912345123
2026-11-29 20:49:26.123
version 2026.11.29.1
v1.2.3-rc.4+build.5
192.168.100.200
10.0.0.0/16
fe80::1ff:fe23:4567:890a
2001:0db8:85a3:0000:0000:8a2e:0370:7334
00:1A:2B:3C:4D:5E
latency p50=12.5ms p99=1234.5678ms
3.141592653589793
4.12345678901234
5500 requests, 4111 errors
rows 4111 1111
0.000000001
100000000000000000
memory 4294967296 bytes
file /var/lib/app/data/2026/11/29/part-00001.parquet
/usr/local/lib/python3.12/site-packages/langgraph/pregel/__init__.py line 1234
C:\\\\Program Files\\\\App\\\\app.exe
SELECT * FROM orders WHERE id = 12345678 AND status = 'open'
UPDATE orders SET replicas = 12 WHERE name = 'checkout'
kubectl -n prod scale deploy/checkout --replicas=12
kubectl rollout restart deployment/checkout -n prod
terraform apply -auto-approve
docker run -p 8080:80 nginx
curl -s https://x.example.com/health
aws ec2 describe-instances --instance-ids i-0abcd1234efgh5678
arn:aws:iam::123456789012:role/service-role/checkout
arn:aws:sns:us-east-1:123456789012:alerts
projects/my-project/locations/us-central1/clusters/prod
vpc-0a1b2c3d4e5f67890 subnet-0a1b2c3d
subscription 00000000-0000-0000-0000-000000000000
basic auth is not configured
bearer of bad news
a cookie banner
the session lasted 30 minutes
session closed
connection string missing
api key missing
credentials expired
maintenance_window prod from 22:00 to 23:00
thread_id=incident-7
conversation 7f3e2a
task-123-456-7
build 20261129.1
JIRA OPS-1234
INC0012345
+12% traffic
+5 replicas
-3 pods
10 of 12 at 95%
risk_level low
eyJ is how a JWT begins
AKIA is how an access key begins
sk-learn and sk-image
key-value store
hf_transfer is enabled
email sent to 3 people
user@localhost
look at example dot com
the meeting is at noon
meet [at] the office
phone number missing
call 911
extension 4411
DE89
QQ12
agent sre-bot called get_status(service='checkout') 8 times
dapi endpoint
SGD 12.50
{"service": "checkout", "replicas": 12, "dry_run": false}
{"items": [], "total": 0, "next": null}
[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
class OrderService(BaseService):
import os, sys
return self.client.get(url, timeout=5)
"""

"""Secrets and personal data as they stand in logs, arguments and errors; all made up.

`¦` divides what would look like a real secret to scanners of repositories; it is left out. What
must go stands between « and ».
"""

from __future__ import annotations

# Written together with the patterns.
KNOWN = """
«AKIA¦IOSFODNN7EXAMPLE»
aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»
the secret was «wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY1»?
"SecretAccessKey": "«9drTJvcXLB89EXAMPLELB8923FB892xMFI/zEx7Q»"
AWS_SESSION_TOKEN=«IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ»
https://bucket.s3.amazonaws.com/key?X-Amz-Signature=«fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc9»
ASIA key «ASIA¦Y34FZKBOKMUTVV7A» in use
DefaultEndpointsProtocol=https;AccountName=x;AccountKey=«lJzRc1YdHaAA2KCNJJ1tkYwF/+mKK6Ygw0NGe170Xu592euJv2wYUtBlV8z+qnlcNQSnIYVTkLWntUO1F8j8rQ==»
Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=«AbCdEf0123456789AbCdEf0123456789AbCdEf0123=»
https://x.blob.core.windows.net/c?sv=2022-11-02&sig=«Z%2FRHIX5Xcg0Mq2rqI3OlWTjEg2tYkboXr1P9ZUXDtkk%3D»
client_secret «Abc8Q~¦dEfGhIjKlMnOpQrStUvWxYz0123456789ab»
ocp-apim-subscription-key: «0123456789abcdef0123456789abcdef»
«AIza¦SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY»
«ya29.¦a0AfH6SMBx-9tSrke72PouQMnMX»
«GOCSPX-¦4bcDEFghiJKLmnoPQRstuVWxyz12»
https://maps.googleapis.com/maps/api?key=«AIzb¦SyD9tSrke72PouQMnMXa7eZSW0»
«1//0¦gLvE3nV5-1CgYIARAAGBASNwF-L9IrU»
«ghp_¦16C7e42F292c6912E7710c838347Ae178B4a»
«gho_¦16C7e42F292c6912E7710c838347Ae178B4a»
«github_pat_¦11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz»
«ghs_¦16C7e42F292c6912E7710c838347Ae178B4a»
https://«x-access-token:ghs_¦16C7e42F292c6912E7710c838347»@github.com/a/b
https://«ghp_¦16C7e42F292c6912E7710c838347Ae178B4a»@github.com/a/b
«glpat-¦abcDEF123456ghiJKL78»
PRIVATE-TOKEN: «abcDEF123456ghiJKL78»
«gldt-¦abcDEF123456ghiJKL78»
«glrt-¦abcDEF123456ghiJKL78»
«xoxb-¦123456789012-abcdefGHIJKL»
«xoxp-¦123456789012-123456789012-abcdef0123456789»
«xapp-¦1-A0123456789-1234567890123-abcdef0123456789»
«https://hooks.slack.com/services/T0000¦0000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX»
«https://discord.com/api/webhooks/1234567890¦12345678/abcDEF-ghi_JKL0123456789»
«sk_live_¦4eC39HqLyjWDarjtT1zdp7dc»
«rk_live_¦4eC39HqLyjWDarjtT1zdp7dc»
«sk_test_¦4eC39HqLyjWDarjtT1zdp7dc»
«whsec_¦MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw»
«sk-proj-¦Zx81hQ0pLmN4rT7vW2yB»
«sk-ant-api03-¦Zx81hQ0pLmN4rT7vW2yBZx81hQ0pLmN4rT7vW2yB-AA»
«hf_¦AbCdEfGhIjKlMnOpQrStUvWxYz012345»
«gsk_¦AbCdEfGhIjKlMnOpQrStUvWxYz012345»
«SK¦0123456789abcdef0123456789abcdef»
twilio «AC¦0123456789abcdef0123456789abcdef» and token
«SG.¦ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr»
«key-¦3ax6xnjp29jd6fds4gc373sgvjxteol0»
«npm_¦AbCdEfGhIjKlMnOpQrStUvWxYz0123456789»
//registry.npmjs.org/:_authToken=«0a1b2c3d-4e5f-6789-abcd-ef0123456789»
«pypi-¦AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAw»
«dckr_pat_¦AbCdEfGhIjKlMnOpQrStUvWxYz0»
«dop_v1_¦0123456789abcdef0123456789abcdef0123456789abcdef»
«dapi¦0123456789abcdef0123456789abcdef»
«hvs.¦CAESIJ0123456789abcdefABCDEFGHIJKLMNOP»
«abcdefghij1234.atlasv1.¦abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab»
«shpat_¦0123456789abcdef0123456789abcdef»
«lsv2_pt_¦0123456789abcdef0123456789abcdef_0123456789»
«glsa_¦AbCdEfGhIjKlMnOpQrStUvWxYz012345_0a1b2c3d»
«NRAK-¦AbCdEfGhIjKlMnOpQrStUvWxYz0»
«PMAK-¦0123456789abcdef01234567-0123456789abcdef0123456789abcdef01»
«123456789:¦AAEhBP0av28TBxbTV9vSOr7H2lkAbCdEfGh»
«MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.¦ZnCjm1XVW7vRze4b7Cq4se7kKWs»
«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N»
jwt in a url ?jwt=«eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.»
Authorization: Bearer «abcdefgh12345678»
Authorization: Basic «dXNlcjpwYXNzd29yZA==»
authorization: Token «0123456789abcdef0123»
X-Api-Key: «b7Xk29QpLm»
-----BEGIN RSA PRIVATE KEY-----«MIIEpAIBAAKCAQEA-with-a-dash»-----END RSA PRIVATE KEY-----
-----BEGIN OPENSSH PRIVATE KEY-----«b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ»
-----BEGIN ENCRYPTED PRIVATE KEY-----«MIIFHDBOBgkqhkiG9w0BBQ0wQTApBgkqhkiG9w0BBQwwHAQI»-----END ENCRYPTED PRIVATE KEY-----
-----BEGIN PGP PRIVATE KEY BLOCK-----«lQOYBF2lnPIBCADG»-----END PGP PRIVATE KEY BLOCK-----
«A3-¦ABCDEF-GHIJKL-MNOPQ-RSTUV-WXYZA-BCDEF»
postgres://app:«pa55»@db:5432/orders
postgres://app:«p@ss»@db:5432/orders
postgresql://app:«p@ss/w0rd#1»@db/orders
mysql://root:«hunter2»@10.0.0.1/app
mongodb+srv://user:«s3cret»@cluster0.example.mongodb.net/db
redis://:«s3cretpw»@cache:6379/0
amqp://guest:«gu3st»@mq:5672/
Server=db;Database=x;User Id=sa;Password=«Str0ng!Pass»;
password=«hunter2» next
password: «hunter2»
Password is «hunter2»
the password for prod is «Sommer2024!»
"password": "«correct horse»"
{\\"client_secret\\": \\"«s3cr3t»\\"}
DB_PASSWORD='«p w d»'
passphrase: «correct horse battery staple»
export PGPASSWORD=«hunter22»
mysqldump --password «hunter22» orders
curl -u admin:«hunter22» https://x
<password>«hunter22»</password>
SECRET_KEY=«django-insecure-2lq0x»
token=«s3cr3tvalue9»
token: «8f14e45fceea167a»
https://x/?access_token=«q1w2e3»&page=2
https://x/reset?token=«9b74c9897bac770f»
https://x/?key=«4f9a8b7c6d5e4f3a»
Cookie: «sid=31d4d96e407aad42; theme=dark; csrftoken=u32t4o3tb3gg43»
Set-Cookie: «sessionId=38afes7a8; HttpOnly; Path=/»
JSESSIONID=«1A530637289A03B07199A44E8D531427»
otpauth://totp/x?secret=«JBSWY3DPEHPK3PXP»
ada.lovelace+ops@mail.example.co.uk is «ada.lovelace+ops@mail.example.co.uk»
mailto:«jane@example.com»
write to «jane.roe%40example.com»
write to «jane.roe＠example.com»
write to «jane.roe [at] example [dot] com»
write to «jörg@müller.example»
"«jane\\u0040example.com»"
card «4111 1111 1111 1111»
card «4111-1111-1111-1111»
card «4111.1111.1111.1111»
card «4111\u00a01111\u00a01111\u00a01111»
card «5500005555555559»
card «378282246310005»
card «３７８２８２２４６３１０００５»
iban «DE89 3704 0044 0532 0130 00»
iban «GB82WEST12345698765432»
iban «FR1420041010050500013M02606»
ssn «078-05-1120»
ssn «078051120»
ssn «078 05 1120»
phone «+1 415 555 0199»
phone «+1 (415) 555-0199»
call «(415) 555-0199»
call «415-555-0199»
call «+49 30 901820»
call «+33 1 23 45 67 89»
call «+14155550199»
tel:«+1-415-555-0199»
cpf «529.982.247-25»
nino «QQ 12 34 56 C»
config «cGFzc3dvcmQ9aHVudGVyMg==» decoded
header «QXV0aG9yaXphdGlvbjogQmVhcmVyIGFiY2RlZmdoMTIzNDU2Nzg=»
https://x/?p=password%3D«hunter2»
https://x/?p=password%253D«hunter2»
"""

# Written after the patterns were done.
UNSEEN = """
export AWS_SECRET_ACCESS_KEY="«Qr8XzT4mKp2vN7wB5yL9cF3hJ6dG1sA0eR4tY8uI»"
aws configure set aws_secret_access_key «Qr8XzT4mKp2vN7wB5yL9cF3hJ6dG1sA0eR4tY8uI»
{"AccessKeyId":"«ASIA¦QWERTYUIOPASDFGH»","Expiration":"2026"}
AZURE_CLIENT_SECRET=«x7k8Q~¦hJ2mN4pR6tV8xZ0bD2fH4jL6nP8rT0vX2z»
azure storage key = «Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==»
BlobEndpoint=https://x.blob.core.windows.net;SharedAccessSignature=sv=2021-08-06&sig=«abc%2F123%2B456%3D»
"private_key": "-----BEGIN PRIVATE KEY-----\\n«MIIEvQIBADANBgkqhkiG9w0BAQEFAASC»\\n-----END PRIVATE KEY-----\\n"
"private_key_id": "«4f3c2b1a0e9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b»"
GOOGLE_API_KEY='«AIza¦SyBkN2mP4qR6sT8uV0wX2yZ4aB6cD8eF0gH»'
refresh_token: "«1//0¦dx7kLmNoPqRsTuVwXyZ0123456789AbCdEf»"
git clone https://oauth2:«glpat-¦zY9xW8vU7tS6rQ5pO4nM»@gitlab.example.com/g/p.git
remote: https://user:«ghp_¦zY9xW8vU7tS6rQ5pO4nM3lK2jI1hG0fE9dC8»@github.com/o/r.git
CI_JOB_TOKEN=«64_abcDEFghiJKLmnoPQRst»
GITHUB_TOKEN=«ghu_¦zY9xW8vU7tS6rQ5pO4nM3lK2jI1hG0fE9dC8»
gitlab runner: «GR1348941¦zY9xW8vU7tS6rQ5pO4nM»
"slack_bot_token": "«xoxb-¦111111111111-2222222222222-aBcDeFgHiJkLmNoPqRsTuVwX»"
SLACK_WEBHOOK=«https://hooks.slack.com/services/TABCDEFGH¦/BABCDEFGH/aBcDeFgHiJkLmNoPqRsTuVwX»
stripe.api_key = "«sk_live_¦51HxYzAbCdEfGhIjKlMnOpQrSt»"
STRIPE_WEBHOOK_SECRET=«whsec_¦5f8d9a7b6c5e4d3f2a1b0c9d8e7f6a5b»
twilio auth token: «9f8e7d6c5b4a39281706f5e4d3c2b1a0»
TWILIO_AUTH_TOKEN=«9f8e7d6c5b4a39281706f5e4d3c2b1a0»
SENDGRID_API_KEY=«SG.¦aBcDeFgHiJkLmNoPqRsTuV.wXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ01»
MAILGUN: api:«key-¦9f8e7d6c5b4a39281706f5e4d3c2b1a0»
mailchimp «9f8e7d6c5b4a39281706f5e4d3c2b1a0-us21»
npm config set //registry.npmjs.org/:_authToken «npm_¦zY9xW8vU7tS6rQ5pO4nM3lK2jI1hG0fE9dC8»
[pypi] username = __token__ password = «pypi-¦AgEIcHlwaS5vcmcCJGFiY2RlZmdoLWlqa2wtbW5vcA»
cargo login «cio¦zY9xW8vU7tS6rQ5pO4nM3lK2jI1hG0fE»
gem push --key «rubygems_¦9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928»
nuget push -k «oy2¦abcdefghijklmnopqrstuvwxyz0123456789abcdefghij»
docker login -u me -p «dckr_pat_¦zY9xW8vU7tS6rQ5pO4nM3lK2j»
docker login -u me -p «Hunter2Hunter2»
OPENAI_API_KEY=«sk-svcacct-¦aBcDeFgHiJkLmNoPqRsTuVwXyZ»
ANTHROPIC_API_KEY=«sk-ant-¦aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123»
HF_TOKEN: «hf_¦zYxWvUtSrQpOnMlKjIhGfEdCbA987654»
REPLICATE_API_TOKEN=«r8_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456»
PINECONE_API_KEY=«pcsk_¦2aBcDe_FgHiJkLmNoPqRsTuVwXyZ»
DD_API_KEY=«9f8e7d6c5b4a39281706f5e4d3c2b1a0»
datadog app key «9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c»
NEW_RELIC_LICENSE_KEY=«9f8e7d6c5b4a39281706f5e4d3c2b1a09f8eNRAL»
SENTRY_AUTH_TOKEN=«sntrys_¦eyJpYXQiOjE2OTcwNDM0fQ==_aBcDeFg»
sentry dsn https://«9f8e7d6c5b4a39281706f5e4d3c2b1a0»@o1.ingest.sentry.io/2
grafana token «glc_¦eyJvIjoiMTIzNDU2Iiwibm9tZSI6In»
VAULT_TOKEN=«hvb.¦AAAAAQJ9zYxWvUtSrQpOnMlKjIhGfEdCbA»
X-Vault-Token: «s.9zYxWvUtSrQpOnMlKjIhGfEd»
TF_TOKEN_app_terraform_io=«zYxWvUtSrQpOnM.atlasv1.¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ01»
heroku api key: «01234567-89ab-cdef-0123-456789abcdef»
DIGITALOCEAN_TOKEN=«dop_v1_¦9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0»
cloudflare api token: «aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_aB»
X-Auth-Key: «9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7»
LINEAR_API_KEY=«lin_api_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789»
atlassian «ATATT3¦xFfGF0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789»
SHOPIFY «shpss_¦9f8e7d6c5b4a39281706f5e4d3c2b1a0»
square «sq0csp-¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFg»
telegram bot «987654321:¦AAFzYxWvUtSrQpOnMlKjIhGfEdCbA98765_»
id_token=«eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.c2lnbmF0dXJl»
Proxy-Authorization: Basic «YWRtaW46cGFzc3dvcmQxMjM=»
authorization: Digest username="x", response="«6629fae49393a05397450978507c4ef1»"
AUTHORIZATION: AWS4-HMAC-SHA256 Credential=«AKIA¦IOSFODNN7EXAMPLE»/20130524/us-east-1/s3/aws4_request
-----BEGIN EC PRIVATE KEY-----«MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY»-----END EC PRIVATE KEY-----
-----BEGIN DSA PRIVATE KEY-----«MIIBuwIBAAKBgQD»
jdbc:mysql://db:3306/app?user=root&password=«r00tpw»
jdbc:postgresql://app:«s3cr3t»@db/app
sqlserver://sa:«P@ssw0rd!»@db:1433?database=x
mssql+pyodbc://sa:«P%40ssw0rd»@db/x
mongodb://u:«p:w»@a,b,c/db
ftp://bob:«builder1»@files.example.com
smtp://user%40example.com:«mailpw99»@smtp.example.com:587
ldap bind password «is_S3cr3t!» for cn=admin
spring.datasource.password=«tiger123»
ConnectionStrings__Default=Server=db;User=sa;Password=«Abc123»
wp-config: define('DB_PASSWORD', '«wp-s3cret»');
"passwd":"«toor123»"
pwd=«letmein1»;
user/pass: admin/«Winter2026!»
my password's «Tr0ub4dor&3»
the API key is «9f8e7d6c5b4a»
your one-time code is «493817»
OTP: «493817»
pin=«4931»
cvv: «123»
seed phrase: «abandon ability able about above absent»
recovery phrase is «legal winner thank year wave sausage»
--api-key=«9f8e7d6c5b4a»
--token «9f8e7d6c5b4a39281706»
sshpass -p «hunter22» ssh root@host
mysql -u root -p«hunter22»
<ApiKey>«9f8e7d6c5b4a»</ApiKey>
<add key="Password" value="«hunter22»" />
{'secret': '«hunter22»'}
client_secret%3D«hunter22word»
"Set-Cookie": "«connect.sid=s%3AaBcDeFgH.iJkLmNoP; Path=/»"
cookie: «_session=BAh7B0kiD3Nlc3Npb25faWQ; remember=1»
PHPSESSID=«r2t5uvjq435r4q7ib3vtdjq120»
csrf_token=«IjE2N2E4ZjBkY2Q0»
https://x.example.com/invite?code=«a8f5f167f44f4964»
https://x.example.com/cb?code=«4/0AX4XfWj9zYxWvUtSrQ»&state=1
https://x.example.com/webhook?signature=«6629fae49393a05397450978507c4ef1»
https://cdn.example.com/f.mp4?Policy=x&Signature=«aBcDeFgHiJkLmNoPqRsTuVwXyZ»&Key-Pair-Id=APK
wire to «NL91 ABNA 0417 1643 00»
iban: «es91-2100-0418-4502-0005-1332»
IBAN «CH9300762011623852957»
visa «4012-8888-8888-1881»
mc «5105/1051/0510/5100»
amex «3714 496353 98431»
"number":"«6011111111111117»"
card ending, full: «4222222222222»
social security number is «219-09-9999»
SSN: «219 09 9999»
SSN#«219099999»
cell: «(212) 555-0123»
ring «212.555.0123»
ring «+44 20 7946 0958»
ring «+44 (0)20 7946 0958»
ring «0044 20 7946 0958»
ring «07911 123456»
WhatsApp «+5511987654321»
fax no. «030 901820»
"phone":"«2125550123»"
passport number «X1234567»
date of birth: «1984-02-29»
DOB «02/29/1984»
Steuer-ID «12 345 678 901»
aadhaar «2345 6789 0123»
codice fiscale «RSSMRA85T10A562S»
John <«john.smith@corp.example»>
«JOHN.SMITH@CORP.EXAMPLE»
john.smith(at)corp.example is «john.smith(at)corp.example»
«john.smith AT corp DOT example»
user=«john_smith%2Btag%40corp.example»
«o'brien@example.ie»
mail «用户@例子.公司»
zero width «john\u200b.smith@corp.example»
data:text/plain;base64,«am9obi5zbWl0aEBjb3JwLmV4YW1wbGU=»
&quot;token&quot;:&quot;«9f8e7d6c5b4a39281706»&quot;
"""

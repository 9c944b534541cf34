"""Half L, healthy: waiting and watching. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_L_WAITING: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_L_WAITING, Want.NOTHING, family)


@healthy("kubernetes")
def image_of_fourteen_gigabytes(r: Script) -> None:
    """A pod pulls a very large image for nine minutes; only its age moves until it runs."""
    r.user("bring up llm-serve on the new node pool, the image has 14 GB")
    r.call("bash", "deployment.apps/llm-serve scaled",
           command="kubectl -n ml scale deploy/llm-serve --replicas=1")  # fmt: skip
    for n in range(9):
        r.call("bash", "NAME                        READY   STATUS              RESTARTS   AGE\n"
               f"llm-serve-6c9d4b7f8-x2kqp   0/1     ContainerCreating   0          {n + 1}m2s",
               after=58, command="kubectl -n ml get pods -l app=llm-serve")  # fmt: skip
        if n == 3:
            r.call("bash", "Normal  Scheduled  3m58s  default-scheduler  Successfully assigned\n"
                   'Normal  Pulling    3m57s  kubelet  Pulling image "reg.example/llm-serve:2.4"',
                   after=1, command="kubectl -n ml describe pod llm-serve-6c9d4b7f8-x2kqp | tail")  # fmt: skip
    r.call("bash", "NAME                        READY   STATUS    RESTARTS   AGE\n"
           "llm-serve-6c9d4b7f8-x2kqp   1/1     Running   0          10m4s",
           after=58, command="kubectl -n ml get pods -l app=llm-serve")  # fmt: skip
    r.answer("llm-serve runs on the new pool; pulling its image took most of ten minutes.")


@healthy("cloud")
def volume_optimizing_at_99(r: Script) -> None:
    """A volume is changed for hours; the last percent takes as long as thirty before it."""
    r.user("grow vol-0b1e to 4 TiB gp3 and tell me when it is through, that takes hours")
    r.call("aws", {"VolumeModification": {"VolumeId": "vol-0b1e", "ModificationState":
           "modifying", "TargetSize": 4096, "Progress": 0}},
           args="ec2 modify-volume --volume-id vol-0b1e --size 4096")  # fmt: skip
    for percent in (3, 17, 29, 46, 58, 71, 88, 99, 99, 99, 99):
        r.call("aws", {"VolumesModifications": [{"VolumeId": "vol-0b1e", "ModificationState":
               "optimizing", "TargetSize": 4096, "Progress": percent}]}, after=900,
               args="ec2 describe-volumes-modifications --volume-ids vol-0b1e")  # fmt: skip
    r.call("aws", {"VolumesModifications": [{"VolumeId": "vol-0b1e", "ModificationState":
           "completed", "TargetSize": 4096, "Progress": 100}]}, after=900,
           args="ec2 describe-volumes-modifications --volume-ids vol-0b1e")  # fmt: skip
    r.answer("vol-0b1e has 4 TiB and the optimisation is completed.")


@healthy("json")
def place_in_the_queue_goes_up_and_down(r: Script) -> None:
    """A job for a quantum computer is overtaken twice by people with a reservation."""
    r.user("run the circuit on ibm_oslo; the queue there is long, that is fine")
    r.call("qpu_submit", {"job_id": "cw3k", "status": "QUEUED"}, backend="ibm_oslo", shots=4096)
    for place in (41, 37, 39, 30, 22, 22, 26, 14, 5, 1):
        r.call("qpu_job", {"job_id": "cw3k", "status": "QUEUED", "position": place,
               "info": "position may change when reserved jobs arrive"}, after=600, job_id="cw3k")  # fmt: skip
    r.call("qpu_job", {"job_id": "cw3k", "status": "RUNNING", "position": None}, after=600,
           job_id="cw3k")  # fmt: skip
    r.call("qpu_job", {"job_id": "cw3k", "status": "DONE", "counts": {"00": 2011, "11": 1977,
           "01": 58, "10": 50}}, after=120, job_id="cw3k")  # fmt: skip
    r.answer("Done: 00 and 11 together have 3988 of 4096 shots.")


@healthy("json")
def store_review_of_two_days(r: Script) -> None:
    """A mobile release is in review for 42 hours with one and the same answer, as announced."""
    r.user("submit build 512 and watch the review; Apple says up to 48 hours")
    r.call("asc_submit", {"submission": "s-90", "state": "WAITING_FOR_REVIEW"}, build=512)
    for _ in range(10):
        r.call("asc_submission", {"submission": "s-90", "state": "IN_REVIEW", "build": 512},
               after=14_400, submission="s-90")  # fmt: skip
    r.call("asc_submission", {"submission": "s-90", "state": "READY_FOR_SALE", "build": 512},
           after=7_200, submission="s-90")  # fmt: skip
    r.answer("Build 512 has passed the review and is ready for sale.")


@healthy("shell")
def bank_file_after_two_hours(r: Script) -> None:
    """The statement of a bank is not there for two hours; the user knew it and said so."""
    r.user("load the MT940 of today when the bank has put it there; it is often two hours late")
    for _ in range(11):
        r.fail("bash", "exit code 2: ls: cannot access '/in/mt940_20260302.sta': No such file or "
               "directory", after=600, command="ls -l /in/mt940_20260302.sta")  # fmt: skip
    r.call("bash", "-rw-r----- 1 bank fin 48211 Mar  2 10:57 /in/mt940_20260302.sta", after=600,
           command="ls -l /in/mt940_20260302.sta")  # fmt: skip
    r.call("bash", "loaded 312 bookings, closing balance 88,120.44 EUR matches", took=9,
           command="mt940-load /in/mt940_20260302.sta")  # fmt: skip
    r.answer("The file came after two hours; 312 bookings are loaded and the balance matches.")


@healthy("json")
def night_batch_in_japanese(r: Script) -> None:
    """A Japanese batch says at each look how many of its slips are through."""
    r.user("夜間バッチが終わったら教えてください")
    for done in (800, 2_150, 2_150, 3_900, 5_020, 6_777, 6_777, 8_300, 9_960):
        r.call("get_batch", {"バッチ": "NB-0302", "状態": "処理中", "進捗": f"{done}/12000件",
               "エラー": 0, "確認時刻": r.clock("%H:%M:%S")}, after=300, batch="NB-0302")  # fmt: skip
    r.call("get_batch", {"バッチ": "NB-0302", "状態": "完了", "進捗": "12000/12000件",
           "エラー": 0, "確認時刻": r.clock("%H:%M:%S")}, after=300, batch="NB-0302")  # fmt: skip
    r.answer("NB-0302 は完了しました。12000件、エラーはありません。")


@healthy("finance")
def settlement_at_three_in_the_afternoon(r: Script) -> None:
    """A Chinese provider settles at 15:00; the answer stays the same until then, as it says."""
    for _ in range(12):
        r.call("query_settlement", {"batch": "ST20260302", "status": "处理中",
               "message": "预计15:00到账", "amount": "128400.00"}, after=1_800, batch="ST20260302")  # fmt: skip
    r.call("query_settlement", {"batch": "ST20260302", "status": "成功", "message": "已到账",
           "amount": "128400.00"}, after=600, batch="ST20260302")  # fmt: skip
    r.answer("ST20260302 已到账, 金额 128400.00 元。")


@healthy("ci")
def runner_is_offline_and_returns(r: Script) -> None:
    """No runner with the label is online for a quarter of an hour, then one is and all is green."""
    r.user("rerun the arm64 job of run 7712 and tell me how it goes")
    r.call("bash", "✓ Requested rerun of job 20419 on run 7712", command="gh run rerun --job 20419")
    for _ in range(8):
        r.call("bash", "queued\tWaiting for a runner to pick up this job... "
               "(labels: self-hosted, arm64)", after=120, command="gh run view --job 20419")  # fmt: skip
    for step in ("checkout", "build", "test"):
        r.call("bash", f"in_progress\t{step}", after=120, command="gh run view --job 20419")
    r.call("bash", "completed\tsuccess\t7m41s", after=120, command="gh run view --job 20419")
    r.answer("The arm64 job was queued for 16 minutes and has then succeeded in 7m41s.")


@healthy("cloud")
def capacity_in_the_fourth_zone(r: Script) -> None:
    """A machine type is sold out in three zones; the fourth has it."""
    r.user("start one p5.48xlarge in eu-north-1 or eu-west-1, any zone")
    zones = ("eu-north-1a", "eu-north-1b", "eu-west-1a", "eu-west-1b")
    for zone in zones[:3]:
        r.fail("ec2_run_instances", "InsufficientInstanceCapacity: We currently do not have "
               f"sufficient p5.48xlarge capacity in the Availability Zone you requested ({zone}).",
               type="p5.48xlarge", zone=zone)  # fmt: skip
    r.call("ec2_run_instances", {"InstanceId": "i-0fa4", "State": "pending"},
           type="p5.48xlarge", zone=zones[3])  # fmt: skip
    r.call("ec2_describe", {"InstanceId": "i-0fa4", "State": "running"}, after=60, id="i-0fa4")
    r.answer("i-0fa4 runs in eu-west-1b; the three other zones had no capacity.")


@healthy("ml")
def people_label_a_batch(r: Script) -> None:
    """Five hundred pictures are labelled by people in four days, with nothing in the nights."""
    r.user("follow the labelling job lj-7 until it is through, look every six hours")
    for left in (470, 391, 391, 391, 302, 214, 214, 214, 121, 37, 37, 37):
        r.call("labeling_job", {"job": "lj-7", "status": "IN_PROGRESS", "unlabeled": left,
               "total": 500, "workers_online": 0 if left in (391, 214, 37) else 6},
               after=21_600, job="lj-7")  # fmt: skip
    r.call("labeling_job", {"job": "lj-7", "status": "COMPLETED", "unlabeled": 0, "total": 500},
           after=21_600, job="lj-7")  # fmt: skip
    r.answer("lj-7 is completed: 500 of 500 are labelled.")


@healthy("robot")
def robot_waits_for_the_lift(r: Script) -> None:
    """A delivery robot calls a lift that carries other people first."""
    r.user("bring the samples from floor 1 to the lab on floor 6")
    r.call("lift_call", {"lift": "B", "accepted": True}, floor=1)
    for floor in (7, 7, 7, 9, 9, 4, 2):
        r.call("lift_state", {"lift": "B", "floor": floor, "doors": "closed"}, after=15, lift="B")
    r.call("lift_state", {"lift": "B", "floor": 1, "doors": "open"}, after=15, lift="B")
    r.call("drive_to", {"reached": "lift B"}, took=12, goal="lift B")
    for floor in (2, 5, 5, 6):
        r.call("lift_state", {"lift": "B", "floor": floor, "doors": "open" if floor == 6 else
               "closed"}, after=15, lift="B")  # fmt: skip
    r.call("drive_to", {"reached": "lab"}, took=40, goal="lab")
    r.answer("The samples are in the lab on floor 6.")


@healthy("home")
def pool_gets_warm_over_night(r: Script) -> None:
    """A pool needs nine hours for three degrees; its thermometer knows only tenths."""
    r.user("heat the pool to 26 and switch the heating off when it is there")
    r.call("pool_heater", {"heater": "on", "target": 26.0}, state="on", target=26.0)
    for tenth in (230, 231, 233, 235, 235, 238, 240, 243, 243, 246, 248, 250, 252, 254, 257, 259):
        r.call("pool_temperature", {"water_c": tenth / 10, "heater": "on", "pump": "on"},
               after=2_000)  # fmt: skip
    r.call("pool_temperature", {"water_c": 26.0, "heater": "on", "pump": "on"}, after=2_000)
    r.call("pool_heater", {"heater": "off"}, state="off")
    r.answer("The pool has 26.0 degrees and the heating is off.")

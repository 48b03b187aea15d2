"""The Kubernetes configuration without a cluster: Dagster takes it, and the jobs that it makes of it are valid ones."""

from importlib.util import find_spec

import pytest

from pipelines.automation.executors import executor_config, executor_of
from pipelines.definitions import build
from pipelines.settings import SettingError, Settings

SETTINGS = Settings(executor="k8s")
needs_k8s = pytest.mark.skipif(
    find_spec("dagster_k8s") is None, reason="no dagster-k8s: pip install 'iqs[distributed]'"
)


def pod_of(step: str) -> dict:
    """The pod that Dagster asks the cluster for, made by its own code and the Kubernetes client's checked models."""
    from dagster._config import process_config
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.executor import k8s_job_executor
    from dagster_k8s.job import DagsterK8sJobConfig, UserDefinedDagsterK8sConfig, construct_dagster_k8s_job
    from kubernetes.client import ApiClient

    checked = process_config(k8s_job_executor.config_schema.config_type, executor_config(SETTINGS))
    assert checked.success, checked.errors
    config = checked.value

    def context(of: dict) -> K8sContainerContext:
        return K8sContainerContext(run_k8s_config=UserDefinedDagsterK8sConfig.from_dict(of))

    merged = context(config["step_k8s_config"]).merge(context(config["per_step_k8s_config"].get(step, {})))
    job = construct_dagster_k8s_job(
        job_config=DagsterK8sJobConfig(job_image=config["job_image"], dagster_home="/var/lib/iqs/dagster"),
        args=["dagster", "api", "execute_step"],
        job_name="dagster-step-0",
        user_defined_k8s_config=merged.run_k8s_config,
        component="step_worker",
    )
    return ApiClient().sanitize_for_serialization(job)["spec"]


@needs_k8s
def test_recognition_gets_a_gpu_and_nothing_else_does():
    def limits(step):
        return pod_of(step)["template"]["spec"]["containers"][0]["resources"]["limits"]

    assert limits("recognition_batch")["nvidia.com/gpu"] in (1, "1")
    assert not [s for s in ("acoustics_batch", "language", "warehouse") if "nvidia.com/gpu" in limits(s)]


@needs_k8s
def test_only_what_publishes_mounts_the_local_volume_and_all_read_the_landing_folder():
    def volumes(step):
        return {v["name"] for v in pod_of(step)["template"]["spec"]["volumes"]}

    assert volumes("recognition_batch") == volumes("metrics") == {"landing"}
    assert volumes("warehouse") == volumes("publication") == {"landing", "local"}
    mounts = {m["name"]: m for m in pod_of("language")["template"]["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["landing"]["readOnly"] is True


@needs_k8s
def test_pods_are_not_root_and_are_tried_again_by_dagster_alone():
    job = pod_of("language")
    assert job["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    assert job["backoffLimit"] == 0


@needs_k8s
def test_every_step_that_the_configuration_names_is_one_of_the_job(tmp_path):
    named = set(executor_config(SETTINGS)["per_step_k8s_config"])
    job = build(Settings(data=tmp_path, executor="k8s")).resolve_job_def("daily")
    steps = {node.definition.name for node in job.nodes} | {
        inner.definition.name for node in job.nodes for inner in getattr(node.definition, "nodes", ())
    }
    assert named <= steps
    assert {"acoustics_batches", "acoustics_batch", "acoustics_tables", "recognition_batches"} <= steps


def test_an_executor_that_there_is_not_and_one_without_its_packages_are_refused_in_words(monkeypatch):
    with pytest.raises(SettingError, match="none of celery, k8s"):
        executor_of(Settings(executor="dask"))
    monkeypatch.setitem(__import__("sys").modules, "dagster_k8s.executor", None)
    with pytest.raises(SettingError, match=r"pip install 'iqs\[distributed\]'"):
        executor_of(SETTINGS)


@pytest.mark.parametrize("text", ["", "execution: {}", "celery: {config: {}}", "execution: [config"])
def test_a_configuration_without_its_two_first_keys_is_refused(tmp_path, text):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(SettingError, match="it must begin with `execution:`"):
        executor_config(Settings(executor="celery", executor_config=tmp_path / "wrong.yaml"))


@needs_k8s
def test_a_setting_that_the_executor_does_not_know_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "k8s.yaml").write_text("execution: {config: {job_namespace: iqs, job_imag: iqs:latest}}")
    with pytest.raises(SettingError, match="job_imag"):
        executor_of(Settings(executor="k8s", executor_config=tmp_path / "k8s.yaml"))


def test_celery_without_the_address_of_a_broker_is_refused(monkeypatch):
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    with pytest.raises(SettingError, match="CELERY_BROKER_URL"):
        executor_config(Settings(executor="celery"))

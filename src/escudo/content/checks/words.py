"""The values that contentctl 5.6.2 has for some keys (its ``objects/enums.py``, ``rba.py``,
``story_tags.py``), and those that ESCU 6 has besides; the checks of words and what makes new
elements read them."""

from __future__ import annotations

from collections.abc import Mapping

SECURITY_DOMAINS = ("endpoint", "network", "threat", "identity", "access", "audit")

ASSET_TYPES = (
    "AWS Account", "AWS EKS Kubernetes cluster", "AWS Federated Account", "AWS Instance", "Account",
    "Amazon EKS Kubernetes cluster", "Amazon EKS Kubernetes cluster Pod",
    "Amazon Elastic Container Registry", "Azure AKS Kubernetes cluster", "Azure Active Directory",
    "Azure Tenant", "CircleCI", "Cloud Compute Instance", "Cloud Instance", "DNS Servers",
    "Database Server", "Domain Server", "EC2 Snapshot", "Endpoint", "GCP", "GCP Account",
    "GCP GKE EKS Kubernetes cluster", "GCP GKE Kubernetes cluster", "GCP Kubernetes cluster",
    "GCP Storage Bucket", "GDrive", "GSuite", "GitHub", "Google Cloud Platform tenant", "Identity",
    "Infrastructure", "Instance", "Kubernetes", "Network", "O365 Tenant", "Okta Tenant", "Proxy",
    "S3 Bucket", "Splunk Server", "VPN Appliance", "Web Application", "Web Proxy", "Web Server",
    "Windows",
)  # fmt: skip

ESCU_PRODUCTS = ("Splunk Enterprise", "Splunk Enterprise Security", "Splunk Cloud")
"""Those that ESCU itself is for."""
PRODUCTS = (*ESCU_PRODUCTS, "Splunk Security Analytics for AWS", "Splunk Behavioral Analytics")
INVESTIGATION_PRODUCTS = (*PRODUCTS, "Splunk Phantom")

STORY_CATEGORIES = (
    "Abuse", "Account Compromise", "Adversary Tactics", "Best Practices", "Cloud Security",
    "Compliance", "Data Destruction", "Lateral Movement", "Malware", "Privilege Escalation",
    "Ransomware", "Unauthorized Software", "Uncategorized", "Vulnerability",
)  # fmt: skip

USE_CASES = (
    "Advanced Threat Detection",
    "Application Security",
    "Compliance",
    "Fraud Detection",
    "Insider Threat",
    "Security Monitoring",
    "Other",
)

THREAT_OBJECT_TYPES = (
    "certificate_common_name", "certificate_organization", "certificate_serial",
    "certificate_unit", "command", "domain", "email_address", "email_subject", "file_hash",
    "file_name", "file_path", "http_user_agent", "ip_address", "parent_process",
    "parent_process_name", "process", "process_hash", "process_name", "registry_path",
    "registry_value_name", "registry_value_text", "service", "signature", "system", "tls_hash",
    "url",
)  # fmt: skip

LOOKUP_TYPES = ("csv", "kvstore", "mlmodel")

DETECTION_CATEGORIES = ("application", "cloud", "endpoint", "network", "web")
"""``category`` of a detection of ESCU 6: the folder of its file."""

STATUSES: Mapping[str, tuple[str, ...]] = {
    "detection": ("production", "experimental", "deprecated"),
    "baseline": ("production", "deprecated"),
    "story": ("production", "deprecated"),
    "investigation": ("production", "experimental", "deprecated", "removed"),
    "macro": ("production",),
    "lookup": ("production",),
    "data source": ("production",),
    "deployment": ("production",),
}
"""Kind -> its statuses. Of an investigation contentctl 5.6.2 has ``removed`` only, as ESCU has none
any more; ESCU 5.0 has deprecated ones."""

EARLIER_STATUSES = ("validation",)
"""Of detections before ESCU 5, too."""

"""The words that contentctl 5.6.2 allows (``objects/enums.py``); fields of elements name them."""

from __future__ import annotations

DETECTION_TYPES = ("TTP", "Anomaly", "Hunting", "Correlation")
DETECTION_FOLDERS = ("endpoint", "cloud", "network", "application", "web")
STATUSES = ("production", "experimental")
SECURITY_DOMAINS = ("endpoint", "network", "threat", "identity", "access", "audit")

PRODUCTS = ("Splunk Enterprise", "Splunk Enterprise Security", "Splunk Cloud")
"""Those that ESCU itself is for."""

ASSET_TYPES = (
    *("AWS Account", "AWS EKS Kubernetes cluster", "AWS Federated Account", "AWS Instance"),
    *("Account", "Amazon EKS Kubernetes cluster", "Amazon EKS Kubernetes cluster Pod"),
    *("Amazon Elastic Container Registry", "Azure Tenant", "Azure AKS Kubernetes cluster"),
    *("Azure Active Directory", "CircleCI", "Cloud Compute Instance", "Cloud Instance"),
    *("DNS Servers", "Database Server", "Domain Server", "EC2 Snapshot", "Endpoint", "GCP"),
    *("GCP Account", "GCP GKE EKS Kubernetes cluster", "GCP GKE Kubernetes cluster"),
    *("GCP Kubernetes cluster", "GCP Storage Bucket", "GDrive", "GSuite", "GitHub"),
    *("Google Cloud Platform tenant", "Identity", "Infrastructure", "Instance", "Kubernetes"),
    *("Network", "O365 Tenant", "Okta Tenant", "Proxy", "S3 Bucket", "Splunk Server"),
    *("VPN Appliance", "Web Application", "Web Proxy", "Web Server", "Windows"),
)
RISK_OBJECT_TYPES = ("system", "user", "other")
THREAT_OBJECT_TYPES = (
    *("certificate_common_name", "certificate_organization", "certificate_serial"),
    *("certificate_unit", "command", "domain", "email_address", "email_subject", "file_hash"),
    *("file_name", "file_path", "http_user_agent", "ip_address", "process", "process_name"),
    *("parent_process", "parent_process_name", "process_hash", "registry_path"),
    *("registry_value_name", "registry_value_text", "service", "signature", "system"),
    *("tls_hash", "url"),
)
STORY_CATEGORIES = (
    *("Abuse", "Adversary Tactics", "Best Practices", "Cloud Security", "Compliance", "Malware"),
    *("Uncategorized", "Vulnerability", "Account Compromise", "Data Destruction"),
    *("Lateral Movement", "Privilege Escalation", "Ransomware", "Unauthorized Software"),
)
STORY_USES = (
    *("Advanced Threat Detection", "Security Monitoring", "Insider Threat"),
    *("Application Security", "Compliance", "Fraud Detection", "Other"),
)
LOOKUP_TYPES = ("csv", "kvstore")
MATCH_TYPES = ("WILDCARD", "CIDR")

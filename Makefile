# What is deployed. `sam build` calls the build-* targets (template.yaml says BuildMethod: makefile);
# `make artefacts PACKAGE_SET=standin RUNTIME=linux-x64` makes what tests/Benchmarks starts.
# Native code is compiled where it runs or across: gcc, zlib's headers, and gcc-aarch64-linux-gnu from x86-64 to arm64.

RUNTIME ?= linux-arm64
PACKAGE_SET ?= official
TOPOLOGY ?= functions/HealthCheck/topology.json

publish = dotnet publish $(1) -c Release -v quiet -p:DeployRuntime=$(RUNTIME) -p:PackageSet=$(PACKAGE_SET) -o

.PHONY: build-ItemApi build-ReplicationAudit build-HealthCheck artefacts

# Lambda's own name for a program that brings its runtime along.
build-ItemApi build-ReplicationAudit: build-%:
	$(call publish,functions/$*) "$(ARTIFACTS_DIR)"
	mv "$(ARTIFACTS_DIR)/$*" "$(ARTIFACTS_DIR)/bootstrap"

build-HealthCheck:
	@test -f "$(TOPOLOGY)" || { echo "There is no $(TOPOLOGY): copy functions/HealthCheck/topology.example.json there and make it yours, or name another with TOPOLOGY=..." >&2; exit 1; }
	$(call publish,functions/HealthCheck) "$(ARTIFACTS_DIR)"
	cp "$(TOPOLOGY)" "$(ARTIFACTS_DIR)/topology.json"

artefacts:
	for project in functions/ItemApi functions/ReplicationAudit functions/HealthCheck tests/BareLoop; do \
		$(call publish,$$project) "artifacts/deploy/$${project##*/}" || exit 1; \
	done

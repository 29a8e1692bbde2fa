# One file for every family of images: docker build --build-arg FAMILY=gateway .
#
# A family is its lock, requirements/<family>.txt, the tests that the stage `test` runs inside its image, and what the image does when nothing
# else is asked of it (the stages `command-<family>`). BuildKit and the classic builder both build it. docs/images.md says more.

# A tag in full; its digest changes with each rebuild of Debian's packages, so a release passes BASE=python@sha256:… and keeps it.
ARG BASE=python:3.11.11-slim-bookworm
ARG FAMILY=tabular


# uv, by hash. Nothing of this stage reaches an image.
FROM ${BASE} AS tools
WORKDIR /build
COPY requirements/bootstrap.txt requirements/
RUN python3 -m venv /opt/tools \
    && /opt/tools/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt


# The family's packages, by hash, without what none of its processes reads (scripts/prune_packages), compiled once
# (but for Plotly's 13,600 validators, of which a drawing reads some hundred).
FROM tools AS packages
ARG FAMILY
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils >/dev/null && rm -rf /var/lib/apt/lists/*
COPY requirements/${FAMILY}.txt requirements/
RUN python3 -m venv --without-pip /opt/packages \
    && /opt/tools/bin/uv pip install --quiet --no-cache --python /opt/packages/bin/python --require-hashes -r requirements/${FAMILY}.txt
COPY scripts/prune_packages scripts/
RUN scripts/prune_packages "${FAMILY}" /opt/packages/lib/python3.*/site-packages \
    && echo /opt/ratchet > "$(echo /opt/packages/lib/python3.*/site-packages)/ratchet.pth" \
    && /opt/packages/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x plotly/validators/ /opt/packages/lib


# The project's own wheel, in a folder beside its packages: a layer of a megabyte changes with the code, one of hundreds with the lock.
# `compiled` is empty here, because compiled files name the image's digest; the public wheel, made afterwards, carries them.
FROM tools AS wheel
COPY requirements/dev.txt requirements/
RUN sed -nE 's/^(hatchling==[^ ;]+).*/\1/p' requirements/dev.txt > requirements/build.txt \
    && /opt/tools/bin/uv pip install --quiet --no-cache --python /opt/tools/bin/python --require-hashes \
        -r requirements/build.txt -c requirements/dev.txt
COPY LICENSE README.md pyproject.toml ./
COPY ratchet ratchet
RUN mkdir compiled && /opt/tools/bin/python -m hatchling build -t wheel -d dist \
    && /opt/tools/bin/uv pip install --quiet --no-cache --python /opt/tools/bin/python --no-deps --target /opt/ratchet dist/*.whl \
    && sed -i '1s|.*|#!/opt/packages/bin/python|' /opt/ratchet/bin/ratchet \
    && /opt/tools/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/ratchet


# What runs: no compiler, no pip, no root, nothing to write but /tmp.
FROM ${BASE} AS image
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/ensurepip /usr/lib/python3.*/ensurepip /usr/share/python-wheels \
        /usr/local/lib/python3.*/site-packages/pip* /usr/local/lib/python3.*/site-packages/setuptools* /usr/local/lib/python3.*/site-packages/wheel* \
    && echo 'ratchet:x:10001:10001::/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'ratchet:x:10001:' >> /etc/group
COPY --from=packages /opt/packages /opt/packages
COPY --from=wheel /opt/ratchet /opt/ratchet
ENV PATH=/opt/ratchet/bin:/opt/packages/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LOGNAME=ratchet \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/cache \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /tmp
USER 10001:10001


# The family's tests in the very image, as its user. What they need besides comes from the development lock and stays in this stage.
FROM image AS test
ARG FAMILY
USER 0:0
WORKDIR /checks
COPY --from=tools /opt/tools/bin/uv /usr/local/bin/uv
COPY requirements/dev.txt requirements/
RUN sed -nE 's/^((httpx|hypothesis|onnx|psutil|pytest)==[^ ;]+).*/\1/p' requirements/dev.txt > requirements/test.txt \
    && uv pip install --quiet --no-cache --python /opt/packages/bin/python --require-hashes -r requirements/test.txt -c requirements/dev.txt
COPY pyproject.toml ./
COPY tests tests
USER 10001:10001
RUN left_out="slow or pipeline or realdata or containers or soak" \
    && case "${FAMILY}" in \
        tabular) folders="data sources drift evaluation features models report" ;; \
        deep) folders="models/autoencoder report" left_out="pipeline or realdata or containers or soak" ;; \
        gateway) folders="models serving traffic" ;; \
        *) echo "family '${FAMILY}' has no tests here; name their folders beside the others'" >&2; exit 1 ;; \
    esac \
    && ratchet --help >/dev/null && export HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis \
    && python3 -m pytest -q --tb=short -p no:cacheprovider -k "not postgresql" \
        -m "not (${left_out})" $(printf ' tests/ratchet/%s' $folders) \
    && echo "${FAMILY}" > /tmp/tested


FROM image AS command-tabular
CMD ["ratchet", "--help"]

FROM image AS command-deep
CMD ["ratchet", "--help"]

FROM image AS command-gateway
EXPOSE 8080
CMD ["ratchet", "serve", "--host", "0.0.0.0", "--port", "8080"]


# The only way here is through the tests.
FROM command-${FAMILY} AS final
ARG BASE
ARG FAMILY
ARG VERSION=unreleased
ARG REVISION=unknown
COPY --from=test /tmp/tested /opt/ratchet/tested
LABEL org.opencontainers.image.title="ratchet-${FAMILY}" \
      org.opencontainers.image.description="Kubeflow Pipelines components that close the loop: the family ${FAMILY}." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"

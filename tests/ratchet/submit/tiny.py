"""The smallest pipeline that Vertex AI takes: one step, and a parameter of each kind."""

TINY = """
components:
  comp-champion:
    executorLabel: exec-champion
    inputDefinitions: {parameters: {run_id: {parameterType: STRING}}}
    outputDefinitions: {parameters: {run_id: {parameterType: STRING}}}
deploymentSpec:
  executors:
    exec-champion: {container: {image: 'example.org/tabular@sha256:0', command: [python, -m, champion]}}
pipelineInfo: {name: tiny, description: One step.}
root:
  dag:
    tasks:
      champion:
        cachingOptions: {}
        componentRef: {name: comp-champion}
        inputs: {parameters: {run_id: {runtimeValue: {constant: '{{$.pipeline_job_uuid}}'}}}}
        retryPolicy: {maxRetryCount: 1}
        taskInfo: {name: Champion}
      count:
        cachingOptions: {enableCache: true}
        componentRef: {name: comp-champion}
        inputs: {parameters: {run_id: {componentInputParameter: model}}}
        taskInfo: {name: Count}
  inputDefinitions:
    parameters:
      model: {parameterType: STRING}
      seed: {parameterType: NUMBER_INTEGER, defaultValue: 0.0, isOptional: true}
      share: {parameterType: NUMBER_DOUBLE, defaultValue: 0.2, isOptional: true}
      dry: {parameterType: BOOLEAN, defaultValue: false, isOptional: true}
      columns: {parameterType: LIST, defaultValue: [], isOptional: true}
      policy: {parameterType: STRUCT, defaultValue: {}, isOptional: true}
      settings: {parameterType: STRING, defaultValue: '', isOptional: true}
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
"""

"""A pipeline on Vertex AI: a job whose id follows from what is submitted, so that a double submit makes one."""

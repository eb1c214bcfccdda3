# One image for the page and for the cluster that renders its drafts: both must be the same klingo1.
FROM python:3.12-slim
RUN useradd --create-home --uid 10001 klingo1 && install -d -o klingo1 /data
WORKDIR /app
COPY requirements.txt pyproject.toml README.md LICENSE app.py ./
COPY klingo1 klingo1
COPY assets assets
# Compiled here, because the user below may not write beside the modules.
RUN pip install --no-cache-dir '.[replicas,cluster]' && python -m compileall -q klingo1
USER klingo1
ENV KLINGO1_HOME=/data GRADIO_TEMP_DIR=/data/cache PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
CMD ["python", "app.py"]

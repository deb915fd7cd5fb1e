"""digitocr webcam: reads numbers live."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options
from digitocr.cli.batch.output import plain, refuse_source, say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = (
    "For example: digitocr webcam    digitocr webcam --source clip.avi --view none --jsonl    "
    "digitocr webcam --source rtsp://camera/ --view web    digitocr webcam --once --digits 5 --max-seconds 60    "
    "digitocr webcam --source http://meter/snap.jpg --view none --digits 8 --rising 20"
)


@libraries_silenced()
def webcam(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Option(
            help="A camera's number or name, a video file, a folder or glob of pictures, rtsp:// or http://; an http "
            "address that answers with one picture is polled."
        ),
    ] = "0",
    list_: Annotated[bool, typer.Option("--list", help="Print the cameras, NUMBER<TAB>NAME, and end.")] = False,
    view: Annotated[
        Literal["window", "web", "none"],
        typer.Option(
            help="window: on this screen; h shows its keys. web: a page for a browser, which stays open after the end "
            "of a recording until Ctrl-C. none: readings only."
        ),
    ] = "window",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0 for any free one.")] = 8000,
    host: Annotated[
        str, typer.Option(help="The page's address; 0.0.0.0 or :: lets other machines watch.")
    ] = "127.0.0.1",
    jsonl: options.Jsonl = False,
    all_frames: Annotated[
        bool, typer.Option("--all-frames", help="Print the reading of every frame, not only steady ones.")
    ] = False,
    expect: options.Expect = "",
    digits: options.Digits = 0,
    rising: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="MAX",
            help="For the one counter or meter in the picture: the first number is announced as it is, a later one "
            "only if it is above the last one by 1 to MAX and has no fewer digits. MAX counts in units of the last "
            "digit, decimals included. What is refused is a line on stderr. If the meter was replaced, or the first "
            "number was wrong, start again; with --digits it is at least whole.",
        ),
    ] = None,
    roi: options.Roi = "",
    once: Annotated[bool, typer.Option("--once", help="End at the first announced reading.")] = False,
    max_seconds: Annotated[
        float,
        typer.Option(
            min=0,
            help="End after that time, the opening of the source included; exit code 8 if nothing was announced.",
            show_default=False,
        ),
    ] = 0.0,
    every: Annotated[int, typer.Option(min=1, help="Read only every N-th frame of a recording.")] = 1,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Record the video as shown, as .avi or .mp4.")
    ] = None,
    keep_doubtful: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep frames that are worth labelling, for digitocr label DIR: those with a number of low confidence, "
            "none like the one before, one a second at most.",
        ),
    ] = None,
    keep_below: Annotated[
        float, typer.Option(min=0, max=1, help="The confidence of a number below which a frame is kept.")
    ] = 0.8,
    keep_most: Annotated[int, typer.Option(min=1, help="How many pictures that folder holds at most.")] = 200,
    force: options.Force = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Show the picture as a mirror does; it is read unmirrored.")
    ] = False,
    width: Annotated[int, typer.Option(min=0, help="Pixels, requested from a camera.", show_default=False)] = 0,
    height: Annotated[int, typer.Option(min=0, help="Pixels, requested from a camera.", show_default=False)] = 0,
    fps: Annotated[
        float,
        typer.Option(
            min=0,
            help="Frames per second, requested from a camera; pictures per second of a snapshot's address.",
            show_default=False,
        ),
    ] = 0.0,
    reconnect: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds for which a lost camera or stream is tried again, and a stream that is off at the start.",
        ),
    ] = 10.0,
    heartbeat: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Say at the start and every so many seconds that the run lives, with its counts and the last number: "
            "with --jsonl as an object of its own, else as a line on stderr. Tells a watchdog of systemd as well.",
            show_default=False,
        ),
    ] = 0.0,
    model: options.Model = None,
    detector: options.Detector = None,
    recognizer: options.Recognizer = None,
    mode: options.Mode = "auto",
    conf: options.Conf = 0.5,
    rotate: options.Rotate = "0",
    quiet: options.Quiet = False,
) -> None:
    """Read numbers live from a camera, a video or a stream.

    A number is announced on stdout once, when it was read over several frames; never one with a digit that cannot be
    told. Of a camera or a stream only the newest frame is read, so the picture shown is never outdated; of a recording
    every frame is read. Ctrl-C ends with exit code 130, SIGTERM with 143; the file of --record is finished in both
    cases.
    """
    if "--debug" in sys.argv:
        os.environ.setdefault("OPENCV_LOG_LEVEL", "INFO")  # else VideoReader silences OpenCV and FFmpeg
    if list_:
        from digitocr.runtime.live.cameras import cameras

        found = cameras()
        for number, name in found:
            say(f"{number}\t{plain(name)}")
        if not found:
            print("digitocr: there is no camera; plug one in, or name a file or a stream by --source", file=sys.stderr)
        return
    from digitocr.cli.live.settings import WebcamSettings
    from digitocr.cli.live.webcam import run

    if keep_doubtful is None:
        options.refuse(context, ("keep_below", "keep_most"), "is for --keep-doubtful; leave it out")
    if record is not None:
        refuse_source(record, [source])
    run(
        WebcamSettings(
            source=source,
            view=view,
            host=host,
            port=port,
            model=model,
            detector=detector,
            recognizer=recognizer,
            mode=mode,
            conf=conf,
            rotate=rotate,
            every=every,
            roi=roi,
            expect=expect,
            digits=digits,
            rising=rising or 0,
            jsonl=jsonl,
            all_frames=all_frames,
            once=once,
            max_seconds=max_seconds,
            record=record,
            force=force,
            mirror=mirror,
            width=width,
            height=height,
            fps=fps,
            reconnect=reconnect,
            heartbeat=heartbeat,
            keep_doubtful=keep_doubtful,
            keep_below=keep_below,
            keep_most=keep_most,
            quiet=quiet,
        )
    )

"""digitocr webcam: digits, live."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from digitocr.cli import options
from digitocr.cli.batch.output import plain, refuse_source, say
from digitocr.cli.stderr import libraries_silenced

EXAMPLES = (
    "For example: digitocr webcam    digitocr webcam --source clip.avi --view none --jsonl    "
    "digitocr webcam --source rtsp://camera/ --view web    digitocr webcam --once --digits 5 --max-seconds 60"
)


@libraries_silenced()
def webcam(
    source: Annotated[
        str,
        typer.Option(help="A camera's number or name, a video file, a folder or glob of pictures, rtsp:// or http://."),
    ] = "0",
    list_: Annotated[
        bool, typer.Option("--list", help="Print the cameras there are, NUMBER<TAB>NAME, and end.")
    ] = False,
    view: Annotated[
        Literal["window", "web", "none"],
        typer.Option(help="window: on this screen; h shows its keys. web: a page for a browser. none: readings alone."),
    ] = "window",
    port: Annotated[int, typer.Option(help="Of the page.")] = 8000,
    host: Annotated[str, typer.Option(help="The page's address; 0.0.0.0 lets other machines watch.")] = "127.0.0.1",
    jsonl: options.Jsonl = False,
    all_frames: Annotated[
        bool, typer.Option("--all-frames", help="Print what is read in every frame, not only what holds.")
    ] = False,
    expect: Annotated[str, typer.Option(metavar="REGEX", help="Only announce lines that match it as a whole.")] = "",
    digits: Annotated[int, typer.Option(min=0, help="Only announce lines of so many digits.", show_default=False)] = 0,
    roi: Annotated[
        str, typer.Option(metavar="X,Y,W,H", help="Read only that part, in pixels; or draw it with the mouse.")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="End at the first announced reading.")] = False,
    max_seconds: Annotated[
        float, typer.Option(min=0, help="End after so long; exit code 8 if nothing was announced.", show_default=False)
    ] = 0.0,
    every: Annotated[int, typer.Option(min=1, help="Of a recording, read each so many-th frame.")] = 1,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the video as shown, as .avi or .mp4.")
    ] = None,
    force: options.Force = False,
    mirror: Annotated[bool, typer.Option("--mirror", help="Show it as a mirror does; it is read as it is.")] = False,
    width: Annotated[int, typer.Option(min=0, help="CameraRequest of a camera, pixels.", show_default=False)] = 0,
    height: Annotated[int, typer.Option(min=0, help="CameraRequest of a camera, pixels.", show_default=False)] = 0,
    fps: Annotated[
        float, typer.Option(min=0, help="CameraRequest of a camera, frames a second.", show_default=False)
    ] = 0.0,
    reconnect: Annotated[
        float, typer.Option(min=0, help="Seconds that a lost camera or stream is tried again for.")
    ] = 10.0,
    model: options.Model = None,
    detector: options.Detector = None,
    conf: options.Conf = 0.5,
    rotate: options.Rotate = "0",
    quiet: options.Quiet = False,
) -> None:
    """Read digits live from a camera, a video or a stream.

    A number is announced on stdout when it has held over several frames, and once, as long as it stays. Of a camera or
    a stream only the newest frame is read, so what is shown is never old; of a recording every frame is.
    """
    if list_:
        from digitocr.runtime.live.capture import cameras

        found = cameras()
        for number, name in found:
            say(f"{number}\t{plain(name)}")
        if not found:
            print("digitocr: there is no camera; plug one in, or name a file or a stream by --source", file=sys.stderr)
        return
    from digitocr.cli.live.webcam import Settings, run

    if record is not None:
        refuse_source(record, [source])
    run(
        Settings(
            source=source,
            view=view,
            host=host,
            port=port,
            model=model,
            detector=detector,
            conf=conf,
            rotate=rotate,
            every=every,
            roi=roi,
            expect=expect,
            digits=digits,
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
            quiet=quiet,
        )
    )
